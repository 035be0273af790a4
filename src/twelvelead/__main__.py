"""`python -m twelvelead` is the same as `twelvelead`."""

from twelvelead.doors.cli import main

if __name__ == "__main__":
    main()
