"""What the tests do with py-tes: `python py_tes.py <command> [JSON]`, which prints JSON.

TES_URL says where; TES_TOKEN, or TES_USER and TES_PASSWORD, who asks.
"""

import json
import os
import sys

import tes

CLIENT = tes.HTTPClient(
    os.environ["TES_URL"],
    token=os.environ.get("TES_TOKEN"),
    user=os.environ.get("TES_USER"),
    password=os.environ.get("TES_PASSWORD"),
)
WAIT_S = 60


def service_info():
    return CLIENT.get_service_info().as_dict()


def create(task):
    return CLIENT.create_task(tes.utils.unmarshal(task, tes.Task))


def run(task):
    """The task in every view, when it has ended."""
    task_id = create(task)
    CLIENT.wait(task_id, timeout=WAIT_S)
    return views(task_id)


def views(task_id):
    return {
        view: json.loads(CLIENT.get_task(task_id, view).as_json())
        for view in ("MINIMAL", "BASIC", "FULL")
    }


def cancel(task_id):
    """Twice: the second time it has ended, or is about to."""
    CLIENT.cancel_task(task_id)
    CLIENT.cancel_task(task_id)
    return CLIENT.wait(task_id, timeout=WAIT_S).state


def list_all(query):
    """Every task of every page."""
    token = None
    tasks = []
    while True:
        page = CLIENT.list_tasks(query["view"], query["page_size"], token)
        tasks += [json.loads(task.as_json()) for task in page.tasks]
        token = page.next_page_token
        if not token:
            return tasks


COMMANDS = {
    command.__name__: command
    for command in (service_info, create, run, views, cancel, list_all)
}
print(json.dumps(COMMANDS[sys.argv[1]](*map(json.loads, sys.argv[2:]))))
