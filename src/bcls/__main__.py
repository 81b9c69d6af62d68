"""`python -m bcls` is `bcls`."""

from __future__ import annotations

import sys

from bcls.cli import main

sys.exit(main())
