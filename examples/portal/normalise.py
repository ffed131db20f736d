"""Normalises recordings of a bucket on a grid that speaks GA4GH TES, with py-tes 1.1.

    TES_URL=https://grid.example.org TES_TOKEN=porin_... \\
        python normalise.py --secret bucket --output s3://lab/normalised/ s3://lab/recordings/night.edf ...

Prints the id of each task and waits for none of them: the portal asks for their states when it needs them.
"""

import argparse
import json
import os
import posixpath

import tes

GIB_OF_MEMORY = 0.25


def task(recording: str, given: argparse.Namespace) -> tes.Task:
    name = posixpath.basename(recording)
    stem, _ = posixpath.splitext(name)
    return tes.Task(
        name=f"{stem}-{given.word}",
        inputs=[tes.Input(url=recording, path="/in/recording.edf")],
        outputs=[tes.Output(url=posixpath.join(given.output, given.word, name), path="/out/normalised.edf")],
        executors=[
            tes.Executor(
                # The application that the administrator registered takes its place.
                image="edf-normalize",
                command=["--input", "/in/recording.edf", "--output", "/out/normalised.edf"],
            )
        ],
        resources=tes.Resources(
            cpu_cores=1,
            ram_gb=GIB_OF_MEMORY,
            disk_gb=GIB_OF_MEMORY,
            backend_parameters={
                "porin_application": "edf-normalize",
                "porin_secrets": given.secret,
                **({"porin_enforcement": "none", "porin_monitoring": "none"} if given.plain else {}),
            },
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", help="URLs of EDF files")
    parser.add_argument("--output", required=True, help="prefix of the outputs' URLs")
    parser.add_argument("--secret", required=True, help="name of the secret that opens the bucket")
    parser.add_argument("--word", default="run", help="tells these tasks from others; a part of their outputs' URLs")
    parser.add_argument("--plain", action="store_true", help="neither watched nor restricted: for administrators")
    given = parser.parse_args()
    client = tes.HTTPClient(os.environ["TES_URL"], token=os.environ["TES_TOKEN"])
    for recording in given.recordings:
        created = task(recording, given)
        print(json.dumps({"name": created.name, "id": client.create_task(created)}), flush=True)


if __name__ == "__main__":
    main()
