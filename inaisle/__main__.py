"""Run the command line by ``python -m inaisle``.

Layer: doors. Takes: the arguments of the process. Gives: its exit status.
"""

from inaisle.cli import main

if __name__ == "__main__":
    main()
