"""``python -m pipeline``: the command line, where scripts cannot be started by name."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
