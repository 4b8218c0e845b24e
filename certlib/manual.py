"""Examples for each command, as `--help` and docs/cli.md show them. Tests run the help and compare."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final = {
    "init": ("certlib init --home /srv/licences --organisation 'Sample City'",),
    "agency add": (
        "certlib agency add --code 11990200MB90000230 --name 样本市市场监督管理局 --area-code 990200",
        "certlib agency add --code RAINPORT --name 'City of Rainport' --timezone America/Los_Angeles",
        "certlib agency add --code HARBOUR --name 'Harbour Office' --asks-only",
    ),
    "upgrade": ("certlib upgrade", "certlib upgrade --home /srv/licences --json"),
    "agency list": ("certlib agency list", "certlib agency list --json"),
    "agency rotate-key": (
        "certlib agency rotate-key RAINPORT",
        "certlib agency rotate-key RAINPORT --purpose seal --seal-algorithm rsa-2048",
        "certlib agency rotate-key RAINPORT --csr-out request.pem",
        "certlib agency rotate-key RAINPORT --certificate answer.pem",
    ),
    "agency seal-picture": ("certlib agency seal-picture RAINPORT seal.svg",),
    "agency token": (
        "certlib agency token RAINPORT --ttl-seconds 3600",
        "certlib agency token RAINPORT --scopes 'share verify'",
        'curl -H "Authorization: Bearer $(certlib agency token RAINPORT)" ...',
    ),
    "type check": ("certlib type check templates/business-licence/v1",),
    "type preview": ("certlib type preview templates/business-licence/v1 --out preview",),
    "type add": ("certlib type add our-types/fishing-licence/v1",),
    "type list": ("certlib type list",),
    "issue": (
        "certlib issue business-licence --data request.json --out .",
        "certlib issue business-licence --data request.json --agency RAINPORT --json",
    ),
    "batch": (
        "certlib batch business-licence register.csv --map register.map.toml --check",
        "certlib batch business-licence register.csv --map register.map.toml --out issued --workers 2",
        "certlib batch business-licence issued/errors.csv --map register.map.toml --out issued",
    ),
    "show": (
        "certlib show 6YP84-XXJ12-ETS63-VXHV0-YRNZB4",
        "certlib show 91990200MA10000078 --pdf . --qr code.svg",
    ),
    "verify": (
        "certlib verify licence.pdf photo.jpg 6YP84-XXJ12-ETS63-VXHV0-YRNZB4",
        "certlib verify *.pdf --json",
        "certlib verify licence.pdf --offline --trust-pack trust-pack.json",
        "certlib verify licence.pdf --offline --trust-pack trust-pack.json --status-list list.jwt",
        "certlib verify - < codes.txt",
    ),
    "identifier check": (
        "certlib identifier check 1.2.156.3005.2.<type>.<agency>.<serial>.<version>.<check>",
        "certlib identifier check --root 2.999.1 2.999.1.<type>.<agency>.<serial>.<version>.<check>",
    ),
    "trust export": ("certlib trust export --out trust",),
    "licence suspend": (
        "certlib licence suspend LICENCE --operator 'Zhang San' --reason 'Inspection failed' --document 'No. 12'",
    ),
    "licence restore": ("certlib licence restore LICENCE --operator 'Zhang San' --reason 'Defects mended'",),
    "licence revoke": ("certlib licence revoke LICENCE --operator 'Zhang San' --reason 'Penalty' --document 'No. 13'",),
    "licence withdraw": (
        "certlib licence withdraw LICENCE --operator 'Zhang San' --reason 'Granted in error' --document 'No. 14'",
    ),
    "licence cancel": ("certlib licence cancel LICENCE --operator 'Zhang San' --reason 'Business closed'",),
    "licence renew": (
        "certlib licence renew LICENCE --expires-on 2031-11-21 --operator 'Zhang San' --reason 'Renewal'",
    ),
    "licence correct": (
        "certlib licence correct LICENCE --data changes.json --operator 'Zhang San' --reason 'Address misspelt'",
    ),
    "licence transfer": ("certlib licence transfer LICENCE --data holder.json --operator 'Zhang San' --reason 'Sold'",),
    "licence pending": ("certlib licence pending", "certlib licence pending --json"),
    "licence approve": (
        "certlib licence approve CHANGE --operator 'Li Si'",
        "certlib licence approve CHANGE --operator 'Li Si' --decline",
    ),
    "licence history": ("certlib licence history LICENCE",),
    "licence resume": ("certlib licence resume",),
    "bulk plan": (
        "certlib bulk plan revoke --key 5f0c... --since 2026-11-01 --dry-run --operator N --reason R --document D",
        "certlib bulk plan cancel --file closed.csv --operator 'Zhang San' --reason 'Closed in the register'",
        "certlib bulk plan renew --file terms.csv --operator 'Zhang San' --reason 'Yearly renewal'",
    ),
    "bulk approve": ("certlib bulk approve ACT --count 1200 --operator 'Li Si'",),
    "bulk run": ("certlib bulk run ACT",),
    "bulk show": ("certlib bulk show ACT --json",),
    "audit verify": ("certlib audit verify", "certlib audit verify --since 4711:<hash>"),
    "audit export": (
        "certlib audit export --since 2026-11-01 --out audit.jsonl",
        "certlib audit export | grep licence.status_changed",
    ),
    "serve": ("certlib serve", "certlib serve --port 9000 --workers 2"),
    "demo": ("certlib demo", "certlib demo --home /tmp/demo --port 9000"),
    "client add": (
        "certlib client add --agency HARBOUR --name 'Permit desk' --key desk.public.pem --operator 'Zhang San'",
        "certlib client add --agency HARBOUR --name 'Permit desk' --new-key desk.pem --operator 'Zhang San'",
        "certlib client add --agency HARBOUR --name 'Old desk' --scopes share --networks 10.20.0.0/16 --operator N",
    ),
    "client list": ("certlib client list", "certlib client list --agency HARBOUR --json"),
    "client rotate": (
        "certlib client rotate CLIENT --new-key desk-2.pem --operator 'Zhang San'",
        "certlib client rotate CLIENT --overlap-days 0 --operator 'Zhang San'",
    ),
    "client disable": ("certlib client disable CLIENT --reason 'Laptop stolen' --operator 'Zhang San'",),
    "grant add": (
        (
            "certlib grant add --agency HARBOUR --type business-licence --interfaces check,question --fields number,"
            "address --matters 330200-0107 --basis statutory --clause 'Harbour Act, 12 (3)' --operator 'Zhang San'"
        ),
        (
            "certlib grant add --agency HARBOUR --type business-licence --interfaces data,file --fields number,"
            "holder_name --matters 330200-0107 --basis consent --daily-cap 200 --until 2027-12-31 --operator N"
        ),
    ),
    "grant list": ("certlib grant list --agency HARBOUR", "certlib grant list --ended --json"),
    "grant change": (
        "certlib grant change GRANT --daily-cap 500 --operator 'Zhang San'",
        "certlib grant change GRANT --networks 10.20.0.0/16,10.30.0.0/16 --operator 'Zhang San'",
    ),
    "grant end": ("certlib grant end GRANT --reason 'The act was repealed' --operator 'Zhang San'",),
    "collect add": (
        "certlib collect add https://city.example --anchor SHA256 --client-id ID --key key.pem --matter-code 0107",
    ),
    "collect run": ("certlib collect run", "certlib collect run https://city.example --anew"),
    "collect list": ("certlib collect list --json",),
    "collect remove": ("certlib collect remove https://city.example --operator 'Zhang San'",),
    "collect find": (
        "certlib collect find --identifier IDENTIFIER",
        "certlib collect find --number 91990200MA10000078 --type business-licence",
    ),
    "collect check": (
        "certlib collect check ID --given number=N --matter-code M --case-number C --purpose P --operator 'Li Min'",
    ),
    "collect trust import": (
        "certlib collect trust import trust-pack.json --anchor trust-anchor.json --operator 'Zhang San'",
    ),
    "collect trust list": ("certlib collect trust list",),
    "collect trust remove": ("certlib collect trust remove 'Bridge library' --operator 'Zhang San'",),
    "holder token": (
        "certlib holder token --code - --code-type 111 --how 'identity card seen' --operator 'Zhang San'",
        'curl -H "Authorization: Bearer $(certlib holder token ...)" http://127.0.0.1:8080/v1/my/licences',
    ),
    "holder ledger": (
        "certlib holder ledger --code - --code-type 111 --how 'identity card seen' --operator 'Zhang San'",
    ),
    "holder delegate": (
        "certlib holder delegate guardian --code CHILD --code-type 111 --to-code - --to-code-type 111 ...",
        "certlib holder delegate officer --code USCC --code-type 001 --to-code - --to-code-type 111 ...",
    ),
    "holder end-delegation": ("certlib holder end-delegation DELEGATION --operator 'Zhang San'",),
    "ticket list": ("certlib ticket list --open", "certlib ticket list --agency RAINPORT --overdue --json"),
    "ticket show": ("certlib ticket show TICKET", "certlib ticket show TICKET --agency RAINPORT"),
    "ticket answer": (
        "certlib ticket answer TICKET --outcome justified --operator 'Li Min' --text 'Permit Act, section 3'",
        "certlib ticket answer TICKET --outcome return --operator 'Wang Fang' --text 'Which branch is meant?'",
    ),
    "ticket correct": (
        "certlib ticket correct TICKET --data change.json --operator 'Wang Fang' --text 'As the application says'",
        "certlib ticket correct TICKET --identifier LICENCE --operator 'Wang Fang' --text 'Issued now'",
    ),
    "ticket sweep": ("certlib ticket sweep",),
    "ticket calendar": ("certlib ticket calendar --agency RAINPORT",),
    "ticket complaints": ("certlib ticket complaints", "certlib ticket complaints --agency RAINPORT --json"),
    "statistics": (
        "certlib statistics --from 2026-11-01 --to 2026-11-30",
        "certlib statistics --agency RAINPORT --type business-licence --json",
    ),
}
"""Command -> command lines, the plainest first."""


def examples(command: str) -> str:
    """The examples of `command` as a paragraph that help shows as it stands."""
    lines = EXAMPLES[command]
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
