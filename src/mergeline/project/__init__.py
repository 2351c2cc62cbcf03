"""A project as a whole: the files that it starts with, its rehearsal, what it needs around it.

- `template`: the pipeline, and what Git and DVC ignore.
- `demo`: a project with its pull requests, in a fresh folder.
- `doctor`: what is missing on this machine, and the next command.
"""
