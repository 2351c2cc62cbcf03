"""What is missing, and the next command: this machine, the project, its repository at GitHub.

Nothing is changed, and nothing that could not be seen is called fine.

- `machine`: the programs and environments.
- `project`, `pipeline`, `data`, `remotes`: the folder; `workflows`: its `.github/`.
- `place`: which repository at GitHub, and with which token.
- `asking`: the questions to GitHub, asked side by side.
- `access`, `main_branch`, `ledger_branches`, `rulesets`, `environments`, `actions`: what the
  answers mean, and the commands that set it up.
- `finding`, `text`: what is said, and how it is printed.
- `run`: all of it.
"""
