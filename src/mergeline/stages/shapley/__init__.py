"""SHAP for the stage `explain`, in a process of its own that can be stopped.

- `worker`: what that process does, from the files to the evidence's content.
- `plan`: which explainer fits a model, and how many rows it can afford by a fixed rule.
- `values`: the explainers.
- `summary`: from values to importances, by group too, and rows with large errors.
"""
