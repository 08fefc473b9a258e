"""What the chat says: keys of the catalogue. No jargon, always the next step."""

from __future__ import annotations

from notifier.catalogue import N_

HELLO = N_("Halo, ini layanan sertifikat vaksin dari %(issuer)s.")
CHOOSE = N_("Anda ingin apa? Balas dengan angka.")
MORE = N_("Ada lagi? Balas dengan angka.")
OTHER_LANGUAGE = N_("For English, reply EN.")
LANGUAGE_SET = N_("Baik, kita lanjutkan dalam bahasa Indonesia.")
BACK = N_("Balas 0 untuk kembali.")
CANCELLED = N_("Baik, dibatalkan.")
AT_MENU = N_("Anda sudah di menu awal.")
BUSY = N_("Maaf, ada gangguan di pihak kami. Kita mulai lagi dari menu.")

MENU_OPTIONS = (
    N_("Unduh sertifikat"),
    N_("Status vaksinasi"),
    N_("Ubah data diri"),
    N_("Sertifikat belum keluar"),
    N_("Bicara dengan petugas"),
)
#: one of these in a message at the menu chooses, where it names one thing alone
MENU_WORDS = (
    ("unduh", "download", "sertifikat", "certificate", "pdf"),
    ("status", "vaksinasi", "jadwal", "dosis"),
    ("ubah", "ganti", "perbaiki", "salah", "koreksi", "change", "correct", "data"),
    ("belum", "hilang", "missing", "keluar", "muncul"),
    ("petugas", "operator", "orang", "agent", "staff", "bicara", "cs"),
)

ASK_PHONE = N_(
    "Tulis nomor HP yang terdaftar saat vaksinasi, misalnya 0812-3456-7890. Kami kirim kode lewat SMS ke nomor itu."
)
THIS_NUMBER = N_("Pakai nomor WhatsApp ini")
BAD_PHONE = N_("Itu bukan nomor HP yang bisa menerima SMS kami. Periksa setiap angkanya.")

ASK_CODE = N_("Jika nomor %(phone)s terdaftar, kode 6 angka segera datang lewat SMS. Tulis kodenya di sini.")
CODE_IS_SECRET = N_("Kode berlaku 5 menit. Jangan berikan kepada siapa pun, termasuk petugas.")
CODE_AGAIN = N_("Kirim kode lagi")
WITHOUT_CODE = N_("Lapor tanpa kode")
CODE_SHAPE = N_("Kode terdiri dari 6 angka, dari SMS kami yang terakhir.")
CODE_WRONG = N_("Kode itu tidak cocok. Anda masih bisa mencoba %(left)s kali.")
CODE_OVER = N_("Kode itu tidak berlaku lagi. Balas 1 untuk meminta kode baru.")
CODE_LIMITED = N_("Kode baru saja diminta. Coba lagi setelah %(wait)s menit.")

ASK_NAME = N_("Tulis nama lengkap penerima vaksin seperti di KTP.")
NAME_SHAPE = N_("Tulis nama dengan huruf, lengkap seperti di KTP.")
NAME_WRONG = N_("Nama itu tidak cocok dengan data kami. Anda masih bisa mencoba %(left)s kali.")
ASK_NIK = N_("Tulis NIK penerima vaksin, 16 angka.")
NIK_SHAPE = N_("NIK terdiri dari 16 angka. Yang Anda tulis %(count)s angka.")
NIK_WRONG = N_("NIK itu tidak cocok dengan data kami. Anda masih bisa mencoba %(left)s kali.")
ASK_BIRTH_DATE = N_("Tulis tanggal lahir penerima vaksin, misalnya 17-08-1984.")
BIRTH_DATE_SHAPE = N_("Tulis tanggal, bulan, dan tahun dengan 4 angka, misalnya 17-08-1984.")
BIRTH_DATE_WRONG = N_("Tanggal lahir itu tidak cocok dengan data kami. Anda masih bisa mencoba %(left)s kali.")
LOCKED = N_(
    "Demi keamanan, data ini dikunci karena terlalu sering salah. Pemiliknya kami beri tahu lewat SMS. Untuk"
    " membukanya, datang ke fasilitas kesehatan atau telepon %(help)s."
)
PROOF_OVER = N_("Demi keamanan, kita perlu memastikan lagi siapa Anda.")

ASK_DOSE = N_("Pilih sertifikat. Balas dengan angka.")
SOMEBODY_ELSE = N_("Orang lain di nomor ini")
NO_CERTIFICATE = N_("Belum ada sertifikat yang berlaku untuk orang ini. Pilih 4 untuk mencari sebabnya.")
HERE_IT_IS = N_("Ini sertifikatnya: %(link)s")
HOW_TO_OPEN = N_("Buka tautan itu, lalu isi tanggal lahir penerima vaksin. PDF-nya menyusul di pesan berikut.")
PDF = N_("Sertifikat vaksin (PDF)")
GIVE_LIMITED = N_("Sertifikat sudah sering diminta hari ini. Coba lagi besok, atau buka tautan di SMS Anda.")

STATUS_CLOSED = N_("Status vaksinasi belum bisa dilihat di chat. Telepon %(help)s.")
CHANGE = N_(
    "Data diri diubah di halaman ini, bukan di chat: %(me)s\nDi sana data lama dan baru tampil berdampingan sebelum"
    " dikirim, dan Anda tidak perlu mengirim foto KTP lewat WhatsApp. Siapkan HP dengan nomor yang terdaftar."
)

NO_CAUSE = N_("Kami belum punya catatan dosis untuk orang ini. Mari kita laporkan.")
CAUSES = N_("Ini yang kami temukan:")
REPORT_IT = N_("Laporkan ke petugas")
MENDED = N_("Sudah diperbaiki. Kabar berikutnya datang lewat SMS.")
NOT_MENDED = N_("Itu tidak bisa diperbaiki lagi. Pilih untuk melaporkannya ke petugas.")
REPORT_ANYWAY = N_("Langsung lapor ke petugas")
ASK_WHOSE = N_("Siapa yang divaksin? Tulis nama lengkapnya seperti di KTP.")
ASK_PLACE = N_("Di mana penerima divaksin? Tulis nama puskesmas, rumah sakit, atau tempatnya.")
ASK_DAY = N_("Tanggal berapa? Misalnya 17-08-2026.")
DAY_TOO_OLD = N_("Dosis ini sudah lebih dari 5 tahun. Tanyakan langsung ke fasilitas tempat vaksin")
DAY_TOO_EARLY = N_("Tanggal itu sebelum tanggal lahirnya. Periksa tahunnya.")
DAY_SHAPE = N_("Tulis tanggal yang sudah lewat, misalnya 17-08-2026.")
ASK_VACCINE = N_("Vaksin apa? Tulis namanya, atau balas 1 jika tidak tahu.")
DO_NOT_KNOW = N_("Tidak tahu")
REPORTED = N_("Laporan %(reference)s sudah kami terima.")
FOLLOW = N_("Ikuti perkembangannya di %(link)s. Kabar berikutnya datang lewat SMS.")
TOO_YOUNG = N_("Sertifikat keluar paling lambat 48 jam setelah vaksin. Jika belum datang, lapor lagi setelah %(when)s.")
REPORT_LIMITED = N_("Laporan dari nomor ini sudah banyak hari ini. Coba lagi besok, atau telepon %(help)s.")
MISSING_CLOSED = N_("Laporan belum bisa dibuat di chat. Telepon %(help)s.")

ASK_QUESTION = N_("Tulis pertanyaan Anda dalam satu pesan, tanpa NIK dan tanpa foto. Petugas membacanya di jam kerja.")
HANDED_OVER = N_("Pertanyaan Anda sudah kami teruskan ke petugas. Nomor: %(reference)s")
ANSWERED_AT = N_("Jawabannya muncul di %(link)s. Kami beri tahu lewat SMS. Mendesak? Telepon %(help)s.")
STAFF = N_("Petugas dapat dihubungi lewat telepon %(help)s atau email %(email)s. Siapkan nomor HP yang terdaftar.")

NOT_UNDERSTOOD = N_("Maaf, saya belum mengerti jawaban itu.")
ONLY_NUMBERS = N_("Balas dengan salah satu angka di daftar.")
STUCK = N_("Balas BATAL untuk kembali ke menu, atau telepon petugas di %(help)s.")
TOO_LONG = N_("Pesan itu terlalu panjang. Tulis jawabannya saja.")
QUESTION_TOO_LONG = N_("Pesan itu terlalu panjang. Ringkaslah menjadi paling banyak 1.000 huruf.")
VOICE = N_("Maaf, saya belum bisa mendengar pesan suara. Tolong tulis saja.")
STICKER = N_("Terima kasih stikernya. Untuk melanjutkan, tolong tulis.")
PICTURE = N_("Maaf, saya tidak bisa melihat foto dan tidak menyimpannya. Jangan kirim foto KTP. Tolong tulis saja.")
FILE = N_("Maaf, saya tidak bisa membuka berkas dan tidak menyimpannya. Tolong tulis saja.")
SPOT = N_("Maaf, saya tidak bisa membaca lokasi. Tolong tulis saja.")
FLOOD = N_("Pesan Anda banyak sekali sekaligus. Tunggu satu menit, lalu tulis lagi.")
#: outside the provider's 24 hours nothing but a template may be sent; this is what ours says
REOPEN = N_("Ada balasan untuk Anda dari layanan sertifikat vaksin. Balas pesan ini untuk membacanya.")
#: to a number that wrote STOP; kept as short as the answers to STOP
STOPPED = N_("Pesan ke nomor ini dihentikan. Balas MULAI untuk memakai layanan ini lagi.")
