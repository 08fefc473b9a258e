"""The status in sentences, as a chat says them: plain Indonesian, which is the key of each other language's text."""

from __future__ import annotations

from collections.abc import Callable

from notifier.core.words import DEFAULT_LANGUAGE, long_date
from notifier.support.vaccination_status.rules import Doubt, HadDose, NextDose, SeriesStatus, Status

Say = Callable[[str], str]


def N_(text: str) -> str:
    """Marks a text that is looked up later."""
    return text


#: why no date is said
doubt_words: dict[Doubt, str] = {
    Doubt.NUMBERS: N_("Nomor dosis yang tercatat tidak cocok dengan tanggalnya."),
    Doubt.NO_DAY: N_("Tanggal salah satu dosis belum tercatat."),
    Doubt.TOO_EARLY: N_("Salah satu dosis tercatat lebih awal daripada jadwal."),
    Doubt.PRODUCT: N_("Jenis vaksin yang tercatat belum jelas."),
    Doubt.BIRTH_DATE: N_("Jadwalnya bergantung pada umur, dan tanggal lahir belum tercatat."),
    Doubt.TOO_OLD: N_("Umurnya sudah melewati jadwal program."),
    Doubt.MORE_DOSES: N_("Jumlah dosis yang tercatat berbeda dari jadwal program."),
}
#: what to do about it
ASK = N_("Tanyakan dosis berikutnya kepada petugas kesehatan. Bawa kartu vaksin.")


def as_lines(status: Status, say: Say, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """The whole status, a line a fact; `say` translates a text of ours. The vaccine and the place stand in it: only for
    somebody who has shown to be the person."""
    if not status.series and not status.others:
        return [say(N_("Belum ada dosis yang tercatat."))]
    lines: list[str] = []
    for series in status.series:
        lines += [_heading(series, say), *(_dose(dose, say, language) for dose in series.doses)]
        lines += _after(series, status, say, language)
    if status.others:
        lines.append(say(N_("Vaksin lain:")))
        lines += [_dose(dose, say, language) for dose in status.others]
        lines.append(say(ASK))
    return lines


def _heading(series: SeriesStatus, say: Say) -> str:
    values = {"name": say(series.name), "had": series.had, "total": series.total}
    if series.is_complete:
        return say(N_("%(name)s: lengkap, %(had)s dosis.")) % values
    if series.total is None or series.had > series.total:
        return say(N_("%(name)s: %(had)s dosis.")) % values
    return say(N_("%(name)s: %(had)s dari %(total)s dosis.")) % values


def _dose(dose: HadDose, say: Say, language: str) -> str:
    day = long_date(dose.given_on, language) if dose.given_on else say(N_("tanggal belum tercatat"))
    what = [dose.product, dose.facility or ""]
    number = say(N_("Dosis %(number)s")) % {"number": dose.number} if dose.number else say(N_("Dosis"))
    return f"- {number}: " + ", ".join([day, *(part for part in what if part)])


def _after(series: SeriesStatus, status: Status, say: Say, language: str) -> list[str]:
    if series.doubt is not None:
        return [f"{say(doubt_words[series.doubt])} {say(ASK)}"]
    return [next_line(series.next, status, say, language)] if series.next else []


def next_line(due: NextDose, status: Status, say: Say, language: str = DEFAULT_LANGUAGE) -> str:
    """When the next dose may be had at the earliest."""
    values = {"number": due.number, "day": long_date(due.earliest, language)}
    is_open = due.earliest <= status.today
    if due.is_booster:
        text = N_("Dosis tambahan boleh sejak %(day)s.") if is_open else N_("Dosis tambahan paling cepat %(day)s.")
    else:
        text = (
            N_("Dosis %(number)s boleh diberikan sejak %(day)s.")
            if is_open
            else N_("Dosis %(number)s paling cepat %(day)s.")
        )
    return say(text) % values
