"""What the tests do with pydantic-tes, the client of Galaxy's Pulsar: `python pydantic_tes.py <command> [JSON]` prints JSON.

TES_URL says where, with the slash at its end; TES_USER and TES_PASSWORD who asks.
"""

import base64
import json
import os
import sys
import time

from pydantictes.api import TesClient
from pydantictes.models import TesState, TesTask

USER = f"{os.environ['TES_USER']}:{os.environ['TES_PASSWORD']}"
CLIENT = TesClient(
    os.environ["TES_URL"],
    {"Authorization": "Basic " + base64.b64encode(USER.encode()).decode()},
)
WAIT_S = 60
UNFINISHED = (TesState.QUEUED, TesState.INITIALIZING, TesState.RUNNING, TesState.PAUSED)


def service_info():
    return CLIENT.service_info().model_dump(mode="json")


def create(task):
    return CLIENT.create_task(TesTask(**task)).id


def wait(task_id):
    """The task when it has ended: Pulsar asks for all of it, again and again."""
    deadline = time.monotonic() + WAIT_S
    while True:
        task = CLIENT.get_task(task_id, "FULL")
        if task.state not in UNFINISHED:
            return task.model_dump(mode="json")
        if time.monotonic() > deadline:
            raise TimeoutError(task.state)
        time.sleep(0.5)


def cancel(task_id):
    CLIENT.cancel_task(task_id)
    return wait(task_id)


def list_states():
    return [task.state.value for task in CLIENT.list_tasks().tasks]


COMMANDS = {
    command.__name__: command
    for command in (service_info, create, wait, cancel, list_states)
}
print(json.dumps(COMMANDS[sys.argv[1]](*map(json.loads, sys.argv[2:]))))
