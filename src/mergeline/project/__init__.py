"""A project as a whole: the files that it starts with, its rehearsal, what it needs around it.

- `init`: from a table and a target to a project. `source` finds and reads the table,
  `classes`, `guess` and `repository` say what is taken for what, `draft` and `callers` are
  the texts.
- `template`: the pipeline, and what Git and DVC ignore.
- `demo`: a project with its pull requests, in a fresh folder.
- `doctor`: what is missing on this machine, in the project and at GitHub; the next command.
"""
