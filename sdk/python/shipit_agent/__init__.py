"""The part of shipit_agent that runs code, over coffer: docs/compat/shipit.md says what is the same and what is not."""
