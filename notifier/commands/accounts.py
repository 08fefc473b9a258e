"""`sertilink user add|reset-second-factor|reset-password`."""

from __future__ import annotations

import secrets
import sys

import click

from notifier.access import accounts, manage
from notifier.access.manage import Deed
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.commands.console import Console, json_option, pass_console, print_json, reason_option
from notifier.core.ids import BASE62
from notifier.services import Services

_GENERATED_LENGTH = 20  # 119 bits


@click.group("user")
def user() -> None:
    """Staff accounts."""


@user.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--display-name", help="What colleagues read; the username where it is left out.")
@click.option("--facility", "facility_id", help="The facility's id; health workers need one.")
@click.option("--facility-name")
@click.option("--language", type=click.Choice(["id", "en"]), default="id", show_default=True)
@click.option("--time-zone", help="An IANA zone for this person's screens.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
@json_option
@pass_console
def add_user(
    console: Console,
    username: str,
    role: str,
    display_name: str | None,
    facility_id: str | None,
    facility_name: str | None,
    language: str,
    time_zone: str | None,
    password_stdin: bool,
    generate: bool,
    as_json: bool,
) -> None:
    """Add an account. The password is asked for, unless --password-stdin or --generate says otherwise."""
    if password_stdin and generate:
        raise click.UsageError("choose one of --password-stdin and --generate")
    with console.services() as services:
        password = _password(password_stdin, generate)
        accounts.add(
            services,
            Passwords(),
            username=username,
            display_name=display_name or username,
            password=password,
            role=Role(role),
            facility_id=facility_id,
            facility_name=facility_name,
            language=language,
            time_zone=time_zone,
            actor=console.actor(),
        )
    report = {"username": accounts.read_username(username), "role": role}
    if generate:
        report["password"] = password
    if as_json:
        print_json(report)
    else:
        click.echo(f"added: {report['username']} ({role})")
        if generate:
            click.echo(f"password, shown this once: {password}")


@user.command("reset-second-factor")
@click.argument("username")
@reason_option
@pass_console
def reset_second_factor(console: Console, username: str, reason: str) -> None:
    """Take the second factor and the recovery codes of USERNAME away, who lost the phone; ends every session.

    First make sure who asks. Where a second factor is required, another one is set up at the next sign-in.
    """
    with console.services() as services:
        manage.reset_second_factor(services, _deed(console, services, username, reason))
    click.echo(f"second factor taken away: {accounts.read_username(username)}")


@user.command("reset-password")
@click.argument("username")
@reason_option
@json_option
@pass_console
def reset_password(console: Console, username: str, reason: str, as_json: bool) -> None:
    """Make a first password for USERNAME and print it this once; ends every session.

    It is good for choosing an own one, within 7 days.
    """
    with console.services() as services:
        password = manage.reset_password(services, Passwords(), _deed(console, services, username, reason))
    report = {"username": accounts.read_username(username), "password": password}
    if as_json:
        print_json(report)
    else:
        click.echo(f"first password, shown this once: {password}")


def _deed(console: Console, services: Services, username: str, reason: str) -> Deed:
    staff_id = manage.find(services, username)
    return Deed(staff_id, manage.show(services, staff_id).row.revision, reason, console.actor())


def _password(from_stdin: bool, generate: bool) -> str:
    if generate:
        return "".join(secrets.choice(BASE62) for _ in range(_GENERATED_LENGTH))
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
