"""Each rule of the policy can fail: a small change of a file, and the one rule that sees it."""

from functools import cache

import pytest

from workflows.rules import RULES
from workflows.rules.pins import PINS
from workflows.yaml_policy import everything

CI, COMMENT = ".github/workflows/ci.yml", ".github/workflows/comment.yml"
PROMOTE, ROLLBACK = ".github/workflows/promote.yml", ".github/workflows/rollback.yml"
PULL, REVIEW = ".github/workflows/pull-request.yml", ".github/workflows/review.yml"
SETUP = ".github/actions/setup/action.yml"
CML, HAND_OVER = ".github/actions/cml/action.yml", ".github/actions/hand-over/action.yml"
CALLER = "init:.github/workflows/"

_TOKEN = "GITHUB_TOKEN: ${{ github.token }}"  # noqa: S105 -- how one is named
_CHECKOUT = f"actions/checkout@{PINS['actions/checkout'][0]} # v7.0.1"
_DOWNLOAD = f"actions/download-artifact@{PINS['actions/download-artifact'][0]} # v8.0.1"
_CACHE = f"actions/cache@{PINS['actions/cache'][0]} # v5.0.5"
_LAST = "if: ${{ !cancelled() }} # a gate that failed is commented too"
_LINE = "group: mergeline-line\n      queue: max"
_CML_STEP = "      - uses: $/.github/actions/cml\n"
_TEST_STEP = "      - run: make test"
_TOP = "permissions: {}\n\njobs:"

# By rule: file, what stands there once, what stands there instead.
CHANGES = {
    "events_are_allowed": [
        (COMMENT, "  workflow_run:", "  issue_comment:\n  workflow_run:"),
        (PULL, "  pull_request:\n", "  pull_request_target:\n"),
        (CI, "  push:\n", '  schedule: [{cron: "0 0 * * *"}]\n  push:\n'),
        (REVIEW, "  pull_request_review:\n", "  workflow_dispatch:\n  pull_request_review:\n"),
        (f"{CALLER}promote.yml", "  push:\n", "  workflow_dispatch:\n  push:\n"),
    ],
    "events_are_not_narrowed": [
        (PULL, "  pull_request:\n", "  pull_request:\n    paths: [src]\n"),
        (PROMOTE, "branches: [main]", "branches: ['**']"),
        (PROMOTE, "branches: [main]", "branches: [main]\n    tags: ['*']"),
    ],
    "names_are_those_of_files": [(ROLLBACK, "name: rollback\n\non", "name: promote\n\non")],
    "comment_follows_builds_and_reviews": [
        (COMMENT, "[pull-request, review]", "[pull-request, review, ci]"),
        (COMMENT, "[pull-request, review]", "[pull-request]"),
        (COMMENT, "types: [completed]", "types: [requested]"),
        (f"{CALLER}comment.yml", "[pull-request, review]", "[review]"),
    ],
    "nothing_is_permitted_on_top": [
        (PROMOTE, _TOP, "permissions: read-all\n\njobs:"),
        (REVIEW, _TOP, "jobs:"),
    ],
    "jobs_name_their_permissions": [
        (REVIEW, "    permissions: {}\n", ""),
        (CI, "permissions:\n      contents: read # to check out", "permissions: write-all"),
    ],
    "grants_have_reasons": [
        (ROLLBACK, "contents: write # the ledger, and the branch that reverts", "contents: write"),
        (f"{CALLER}rollback.yml", "deployments: write # to say what is live", "deployments: write"),
    ],
    "project_code_gets_nothing": [
        (CI, "contents: read # to check out", "contents: write # to check out"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        env:\n          {_TOKEN}"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        env: {{A: '${{{{ toJSON(github) }}}}'}}"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        env: {{A: '${{{{ secrets.KEY }}}}'}}"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        env: {{A: '${{{{ secrets[matrix.key] }}}}'}}"),
        (PULL, _LAST, f"{_LAST}\n        env:\n          {_TOKEN}"),
        (COMMENT, _CML_STEP, f"{_CML_STEP}      - run: make test\n"),
        (COMMENT, "actions/setup\n", "actions/setup\n        with: {requirements: r.txt}\n"),
    ],
    "data_credential_meets_the_check_alone": [
        (PULL, _LAST, f"{_LAST}\n        env: {{A: '${{{{ secrets.MERGELINE_DVC_CONFIG }}}}'}}"),
    ],
    "trusted_jobs_stand_on_main": [
        (COMMENT, "depth: 0", "depth: 0\n          ref: ${{ github.event.workflow_run.head_sha }}"),
        (ROLLBACK, "depth: 0", "depth: 0\n          ref: v1"),
        (ROLLBACK, "depth: 0", "depth: 0\n          repository: somebody/else"),
    ],
    "trusted_jobs_take_no_artifact": [
        (COMMENT, _CML_STEP, f"{_CML_STEP}      - uses: {_DOWNLOAD}\n"
         "        with: {artifact-ids: '1'}\n"),
        (COMMENT, _CML_STEP, f"{_CML_STEP}      - uses: $/.github/actions/hand-over\n"),
        (COMMENT, "name: mergeline-report", "name: mergeline-evidence"),
        (COMMENT, "path: report.html", "path: reports"),
    ],
    "trusted_jobs_are_told_nothing_foreign": [
        (COMMENT, _TOKEN,
         f"{_TOKEN}\n          A: ${{{{ github.event.workflow_run.head_branch }}}}"),
        (COMMENT, _TOKEN, f"{_TOKEN}\n          A: ${{{{ github.head_ref }}}}"),
        (COMMENT, _TOKEN, f"{_TOKEN}\n          A: ${{{{ secrets[github.head_ref] }}}}"),
    ],
    "nothing_is_cached": [
        (SETUP, "python-version:", "cache: pip\n        python-version:"),
        (CI, "      - run: make lint", f"      - uses: {_CACHE}\n      - run: make lint"),
    ],
    "secrets_belong_to_environments": [
        (ROLLBACK, "    environment:\n      name: production\n      deployment: false", "   "),
        (COMMENT, "name: mergeline\n", "name: production\n"),
        (PULL, "  build:\n", "  build:\n    environment: production\n"),
        (PROMOTE, "promote --needs\n        env:\n",
         "promote --needs\n        env:\n          A: ${{ secrets.MERGELINE_TOKEN }}\n"),
    ],
    "actions_are_pinned": [
        (COMMENT, _CHECKOUT, "actions/checkout@v7"),
        (COMMENT, _CHECKOUT, _CHECKOUT.partition(" ")[0]),
        (COMMENT, _CHECKOUT, _CHECKOUT.replace("v7.0.1", "v7.0.0")),
        (COMMENT, _CHECKOUT, _CHECKOUT.replace("@3d", "@3e")),
        (CML, "iterative/setup-cml@", "somebody/setup-cml@"),
        (COMMENT, "$/.github/actions/cml", "$/.github/actions/cml2"),
        (COMMENT, "$/.github/actions/cml", "./.github/actions/cml"),
        (f"{CALLER}comment.yml", "@1111111111111111111111111111111111111111", "@main"),
        (f"{CALLER}comment.yml", "comment.yml@", "comments.yml@"),
    ],
    "checkouts_keep_no_credentials": [
        (COMMENT, "          persist-credentials: false\n", ""),
        (COMMENT, "persist-credentials: false", "persist-credentials: 'false'"),
        (CI, "depth: 0", "depth: 0\n          ssh-key: A"),
    ],
    "jobs_have_timeouts": [
        (ROLLBACK, "    timeout-minutes: 30\n", ""),
        (ROLLBACK, "timeout-minutes: 30", "timeout-minutes: 360"),
    ],
    "images_are_fixed": [
        (ROLLBACK, "ubuntu-24.04", "ubuntu-latest"),
        (ROLLBACK, "ubuntu-24.04", "self-hosted"),
    ],
    "one_change_of_the_line_at_a_time": [(ROLLBACK, "mergeline-line", "rollback-line")],
    "what_changes_the_line_is_never_cancelled": [
        (ROLLBACK, _LINE, f"{_LINE}\n      cancel-in-progress: true"),
        (PROMOTE, "-plan-${{ github.sha }}\n      cancel-in-progress: false",
         "-plan-${{ github.sha }}\n      cancel-in-progress: ${{ github.sha }}"),
        (PROMOTE, _LINE, "group: mergeline-line"),
        (COMMENT, "      queue: max\n", ""),
        (ROLLBACK, f"concurrency:\n      {_LINE}", "concurrency: mergeline-line"),
        (ROLLBACK, _TOP, f"concurrency: rollback\n{_TOP}"),
    ],
    "groups_of_pull_requests_are_their_own": [
        (PULL, "mergeline-build-${{ github.ref }}", "mergeline-${{ github.head_ref }}"),
        (PULL, "mergeline-build-${{ github.ref }}", "Mergeline-Line"),
        (PULL, "mergeline-build-${{ github.ref }}", "mergeline-comment-${{ github.sha }}"),
        (CI, "group: ci-${{ github.ref }}", "group: ${{ github.ref }}"),
    ],
    "runs_are_one_line": [
        (CI, "run: make test", "run: |\n          make test\n          make lint"),
        (CI, "run: make test", "run: make test; true"),
        (CI, "run: make test", "run: make test || true"),
        (CI, "run: make test", "run: make $(cat wanted)"),
        (CI, "run: make test", "run: make $WANTED"),
        (ROLLBACK, 'mergeline rollback --to "$VERSION"', "python rollback.py"),
    ],
    "runs_hold_no_expression": [
        (ROLLBACK, '--to "$VERSION"', '--to "${{ inputs.version }}"'),
        (PULL, "run: mergeline check", "run: mergeline check --base ${{ github.head_ref }}"),
        (SETUP, "shell: bash", "shell: ${{ inputs.python }}"),
    ],
    "conditions_are_expressions": [
        (PROMOTE, "if: ${{ needs.plan.outputs.build == 'rebuild' }}",
         "if: |\n      ${{ needs.plan.outputs.build == 'rebuild' }}"),
        (PROMOTE, "build == 'rebuild' }}", "build == 'rebuild' }} && true"),
        (PROMOTE, "if: ${{ needs.plan.outputs.build == 'rebuild' }}", "if: !cancelled()"),
    ],
    "keys_are_known": [
        (CI, "jobs:\n", "env: {A: b}\njobs:\n"),
        (ROLLBACK, "    name: rollback\n", "    name: rollback\n    container: node\n"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        working-directory: elsewhere"),
        (CI, _TEST_STEP, f"{_TEST_STEP}\n        continue-on-error: true"),
    ],
    "what_is_used_is_declared": [
        (ROLLBACK, "secrets.MLFLOW_TRACKING_USERNAME", "secrets.MLFLOW_USERNAME"),
        (PULL, "${{ inputs.requirements }}", "${{ inputs.requirement }}"),
        (SETUP, "inputs:\n", "inputs:\n  unused:\n    description: Of nothing.\n"),
    ],
    "inputs_are_the_same_by_hand": [
        (ROLLBACK, "        required: true\n  workflow_call:", "  workflow_call:"),
    ],
    "callers_pass_what_is_declared": [
        (f"{CALLER}comment.yml", "MERGELINE_TOKEN: ${{", "MERGELINE_KEY: ${{"),
        (f"{CALLER}comment.yml", "secrets.MERGELINE_TOKEN", "secrets.MERGELINE_KEY"),
        (f"{CALLER}rollback.yml", "      reason: ${{ inputs.reason }}\n", ""),
    ],
    "callers_grant_what_is_needed": [
        (f"{CALLER}promote.yml", "deployments: write", "deployments: read"),
        (f"{CALLER}pull-request.yml", "contents: read", "contents: write"),
    ],
    "artifacts_are_those_that_are_read": [
        (HAND_OVER, "name: mergeline-model", "name: model"),
        (HAND_OVER, "          reports/prepare.json\n", ""),
        (HAND_OVER, "          reports/prepare.json\n", "          reports\n"),
        (HAND_OVER, "          reports/probes.json\n",
         "          reports/probes.json\n          data\n"),
        (HAND_OVER, "overwrite: true\n    - uses", "overwrite: false\n    - uses"),
    ],
    "artifacts_are_taken_by_id": [
        (CI, "      - run: make lint", f"      - uses: {_DOWNLOAD}\n        with: {{name: a}}\n"
         "      - run: make lint"),
        (CI, "      - run: make lint", f"      - uses: {_DOWNLOAD}\n      - run: make lint"),
    ],
    "builds_hand_over": [
        (PULL, "${{ !cancelled() }}", "${{ success() }}"),
        (PROMOTE,
         "      - uses: $/.github/actions/hand-over\n        if: ${{ !cancelled() }}\n", ""),
    ],
    "last_job_says_how_all_ended": [
        (PULL, "needs: [build]", "needs: []"),
        (PULL, "${{ always() }}", "${{ !cancelled() }}"),
        (PULL, "join(needs.*.result, ' ')", "needs.build.outcome"),
    ],
}  # fmt: skip


@cache
def _complaints_now() -> dict[str, list[str]]:
    return {name: list(rule(everything())) for name, rule in RULES.items()}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(rule, change, id=f"{rule}-{n}")
        for rule, changes in CHANGES.items()
        for n, change in enumerate(changes, 1)
    ],
)
def test_exactly_one_rule_sees_the_change(rule: str, change: tuple[str, str, str]) -> None:
    changed = everything().changed(*change)
    complaints = {name: list(each(changed)) for name, each in RULES.items()}
    seen = {name: said for name, said in complaints.items() if said != _complaints_now()[name]}
    assert list(seen) == [rule], seen
    new = set(seen[rule]) - set(_complaints_now()[rule])
    assert new
    assert all("yml" in said for said in new), "a complaint names the file"


def test_each_rule_is_seen_to_fail() -> None:
    assert list(CHANGES) == list(RULES)
