"""What does a pod of Kubeflow do? The YAML holds the source of this function, and no more."""

# kfp reads the annotations, which may be no texts.


def execute(words: list[str], otherwise: list[str]) -> None:
    """Execute a task by flowlib, which the image has.

    Args:
        words: The arguments of the command.
        otherwise: Those of the command that decides if it fails; empty if the failure counts.
    """
    import subprocess
    import sys

    program = [sys.executable, "-m", "flowlib"]
    code = subprocess.run([*program, *words], check=False).returncode
    if code and otherwise:
        code = subprocess.run([*program, *otherwise], check=False).returncode
    if code:
        sys.exit(f"flowlib {' '.join(words)} ended with exit code {code}")
