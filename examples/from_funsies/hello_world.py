"""
Hello, funsies! Lazy steps, saved under addresses, executed later from the shell.

    $ python hello_world.py
    my outputs are saved to 96b4a and 63e96
    $ flowlib execute 96b4a 63e96
    $ flowlib cat 96b4a
    👋 🪐
    $ flowlib cat 63e96
    5
"""

from flowlib import Flow, sh, task
from stores import open_store


@task
def total(numbers: list[int]) -> int:
    """The sum of some numbers."""
    return sum(numbers)


# you can run shell commands
cmd = sh("sleep 2; echo 👋 🪐", shell=True, name="hello")
# and python ones
python = total([3, 2])

if __name__ == "__main__":
    Flow([cmd, python]).submit(open_store("file:.flowlib"))
    # outputs are saved at addresses
    print(f"my outputs are saved to {cmd['stdout'].key[:5]} and {python.key[:5]}")
