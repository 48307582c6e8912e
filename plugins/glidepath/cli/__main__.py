"""`python -m glidepath.cli`."""

import sys

from glidepath.cli.main import main

sys.exit(main())
