"""Rulesets: who may do what to which branches. Only required statuses are enforced."""

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.required import rulesets_of
from mergeline.rehearsal.resources.people import may_administer, require_administrator, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.state import Ruleset


def _show(call: Call, ruleset: Ruleset) -> Json:
    url = f"{repo_url(call, call.repo)}/rulesets/{ruleset.id}"
    html = f"{repo_page(call, call.repo)}/rules/{ruleset.id}"
    return {
        "id": ruleset.id,
        "node_id": f"RRS_{ruleset.id}",
        "name": ruleset.name,
        "target": ruleset.target,
        "source_type": "Repository",
        "source": call.repo.full_name,
        "enforcement": ruleset.enforcement,
        "_links": {"self": {"href": url}, "html": {"href": html}},
        "created_at": stamp(ruleset.created),
        "updated_at": stamp(ruleset.created),
    }


def _list(call: Call) -> Answer:
    return page(call, call.repo.rulesets, _show)


def _get(call: Call) -> Answer:
    number = call.number("ruleset_id")
    found = next((one for one in call.repo.rulesets if one.id == number), None)
    if found is None:
        raise not_found()
    body = _show(call, found) | {"rules": found.rules, "current_user_can_bypass": "never"}
    body["conditions"] = {"ref_name": {"include": found.include, "exclude": found.exclude}}
    # Who may pass by it is shown to those only who could change it.
    if may_administer(call):
        body["bypass_actors"] = found.bypass
    return Answer(200, body)


def _create(call: Call) -> Answer:
    """Add a ruleset: administrators only."""
    require_administrator(call)
    names = call.body.get("conditions", {}).get("ref_name", {})
    made = Ruleset(
        id=call.world.next_id(),
        name=call.text("name"),
        target=call.choice("target", ("branch", "tag", "push"), "branch"),
        enforcement=call.choice("enforcement", ("active", "evaluate", "disabled")),
        include=list(names.get("include", [])),
        exclude=list(names.get("exclude", [])),
        rules=[dict(rule) for rule in call.body.get("rules", [])],
        bypass=[dict(actor) for actor in call.body.get("bypass_actors", [])],
        created=call.world.clock(),
    )
    call.repo.rulesets.append(made)
    shown = {"conditions": call.body.get("conditions"), "bypass_actors": made.bypass}
    return Answer(201, _show(call, made) | {"rules": made.rules} | shown)


def _of_branch(call: Call) -> Answer:
    if not call.repo.setup.has_rules:
        raise Refusal(403, _NOT_IN_PLAN)
    name = call.parameters["branch"]
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.repo.full_name}
    rules = [
        {**rule, **source, "ruleset_id": ruleset.id}
        for ruleset in rulesets_of(call.repo, name)
        for rule in ruleset.rules
    ]
    return page(call, rules, lambda _call, rule: rule)


def _protection(call: Call) -> Answer:
    """Show classic protection. Who may not see it is told what one without it is."""
    if not may_administer(call):
        raise not_found()
    name = call.parameters["branch"]
    found = call.repo.setup.protections.get(name)
    if call.repo.git.tip(name) is None or found is None:
        raise Refusal(404, "Branch not protected" if found is None else "Branch not found")
    return Answer(200, found)


_NOT_IN_PLAN = "Upgrade to GitHub Pro or make this repository public to enable this feature."
_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", f"{_REPO}/rulesets", _list),
    Route("POST", f"{_REPO}/rulesets", _create, ("administration",)),
    Route("GET", f"{_REPO}/rulesets/{{ruleset_id}}", _get),
    Route("GET", f"{_REPO}/rules/branches/{{branch}}", _of_branch),
    Route("GET", f"{_REPO}/branches/{{branch}}/protection", _protection),
)
