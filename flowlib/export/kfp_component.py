"""What does a pod of Kubeflow do? The YAML holds the source of this function, and no more."""

# kfp reads the annotations, which may be no texts.


def execute(words: list[str]) -> None:
    """Execute a task by flowlib, which the image has.

    Args:
        words: The arguments of the command.
    """
    import subprocess
    import sys

    code = subprocess.run([sys.executable, "-m", "flowlib", *words], check=False).returncode
    if code:
        sys.exit(f"flowlib {' '.join(words)} ended with exit code {code}")
