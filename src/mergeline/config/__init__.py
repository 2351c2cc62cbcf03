"""The settings: `params.yaml` as written, to frozen `Settings` or to errors in plain words.

- `settings`: the types of Mergeline's sections.
- `load`: file or text to `Settings`; one `ConfigError` names all that is wrong.
- `document`: YAML to plain JSON values, with the line of each key.
- `problem`: one thing that is wrong, and how values are shown.
- `sentences`, `rules`: what is wrong with one value, and with several together.
- `schema`: a JSON Schema for editors, from the same types.
- `moved`: what a change moves under a gate without touching the policy.
"""
