"""Where there is no network: a sheet to be filled in by hand, and the CSV file that it is typed into afterwards."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.words import SOURCE_LANGUAGE, language
from notifier.access.roles import Permission
from notifier.services import Services
from notifier.store import desk as rows

ROWS = 10
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # without it a spreadsheet takes UTF-8 for something else
#: the columns of the sheet as intake.rows reads them: (Indonesian heading, English heading)
COLUMNS = (
    ("nik", "nik"),
    ("id_orang", "person_id"),
    ("nama", "name"),
    ("tanggal_lahir", "birth_date"),
    ("telepon", "phone"),
    ("vaksin", "product"),
    ("nomor_batch", "lot"),
    ("dosis_ke", "dose_number"),
    ("jumlah_dosis", "series_total"),
    ("tanggal_vaksinasi", "given_on"),
    ("faskes", "facility"),
    ("kode_faskes", "facility_id"),
    ("jeda_jam", "delay_hours"),
    ("bahasa", "language"),
)


def blueprint(services: Services) -> Blueprint:
    """`/doses/sheet`, `/doses/template.csv`."""
    part = Blueprint("entry_sheet", __name__)

    @part.get("/doses/sheet")
    @needs(Permission.DOSES_WRITE)
    def page() -> str:
        facility_id = me().facility_id
        with services.db.read() as conn:
            name = rows.facility_name(conn, facility_id) if facility_id else None
        return render_template("entry_sheet.html", rows=ROWS, facility=name, facility_id=facility_id)

    @part.get("/doses/template.csv")
    @needs(Permission.DOSES_WRITE)
    def template() -> AnyResponse:
        response = make_response(_BYTE_ORDER_MARK + _header())
        response.headers["Content-Type"] = "text/csv; charset=utf-8"
        response.headers["Content-Disposition"] = 'attachment; filename="dosis.csv"'
        return response

    return part


def _header() -> str:
    """The headings alone: a line of example would be a dose. A spreadsheet set to Indonesian parts cells at `;`, since
    the comma is its decimal mark."""
    indonesian = language() == SOURCE_LANGUAGE
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if indonesian else ",", lineterminator="\r\n")
    writer.writerow([names[0] if indonesian else names[1] for names in COLUMNS])
    return text.getvalue()
