"""``python -m ppap_core``: the ``ppap`` command."""

from .cli import main

if __name__ == "__main__":
    main()
