"""Why something is where it is, or was refused."""

from __future__ import annotations

from linkserver.words import N_

REASONS: dict[str, str] = {
    "no-phone": N_("tidak ada nomor ponsel"),
    "bad-phone": N_("nomor tidak dapat menerima SMS"),
    "opted-out": N_("penerima meminta berhenti menerima SMS"),
    "withdrawn": N_("dosis ditarik: salah catat atau tidak diberikan"),
    "corrected": N_("data dosis diperbaiki"),
    "superseded": N_("sudah diganti pesan yang lebih baru"),
    "link-revoked": N_("tautannya dicabut"),
    "number-changed": N_("nomor ponsel diganti"),
    "deceased": N_("penerima telah meninggal"),
    "historical": N_("dosis lama yang disalin dari kartu atau catatan lain"),
    "quiet-hours": N_("menunggu jam kirim"),
    "past-due": N_("terlambat terlalu lama, petugas harus memutuskan"),
    "daily-cap": N_("batas SMS per orang per hari tercapai"),
    "operator": N_("diputuskan petugas"),
    "lease-ran-out": N_("pekerja berhenti di tengah jalan"),
    "not-sent": N_("penyedia SMS tidak terhubung, akan dicoba lagi"),
    "rate-limited": N_("penyedia SMS minta pelan-pelan, akan dicoba lagi"),
    "sender-misconfigured": N_("akun atau pengirim SMS bermasalah"),
    "outcome-unknown": N_("jawaban penyedia SMS tidak jelas"),
    "db-restored": N_("basis data dipulihkan dari salinan lama, sedang dicek ke penyedia SMS"),
    "sent-again": N_("tidak jelas terkirim, sudah dikirim ulang"),
    "left-alone": N_("tidak jelas terkirim, diputuskan tidak dikirim ulang"),
    "unreachable": N_("ponsel tidak dapat dihubungi, dicoba lagi hari ke-1, 3, dan 7"),
    "has-arrived": N_("ternyata SMS sebelumnya sudah diterima penyedia"),
    "not-unknown": N_("Nasib SMS ini sudah jelas, jadi tidak perlu diputuskan lagi."),
    "refused": N_("ditolak penyedia SMS"),
    "not-me": N_("pemilik nomor memberi tahu bahwa SMS-nya bukan untuknya"),
    "wrong-number": N_("nomornya milik orang lain; mintalah nomor yang benar"),
    "doses-changed": N_("dosisnya bertambah atau diperbaiki setelah pengingat ini direncanakan"),
    "unlocked": N_("kuncinya sudah dibuka"),
    "unreadable": N_("data tersegel tidak dapat dibuka"),
    "erased": N_("data penerima dihapus atas permintaannya"),
    # refusals of resend and cancel
    "has-left": N_("SMS sudah telanjur dikirim, jadi tidak dapat dibatalkan."),
    "already-held": N_("SMS ini memang sudah ditahan. Lepas atau batalkan di bawah."),
    "already-stopped": N_("SMS ini memang sudah tidak akan dikirim."),
    "changed-meanwhile": N_("Keadaannya baru saja berubah. Lihat lagi halaman ini."),
    "not-resendable": N_("Pesan jenis ini tidak dapat dikirim ulang."),
    "still-waiting": N_("Masih ada SMS yang menunggu untuk dosis ini. Batalkan dulu, atau tunggu sampai terkirim."),
    # refusals of what is done with cases
    "not-locked": N_("Sertifikatnya tidak terkunci."),
    "already-closed": N_("Petugas lain baru saja menutup kasus ini. Lihat di bawah apa yang dilakukan."),
    "no-pause": N_("SMS ke nomor ini tidak sedang dihentikan, jadi tidak ada yang dibatalkan."),
    "not-about-number": N_("Kasus ini bukan tentang nomor ponsel."),
    "not-about-birth-date": N_("Kasus ini bukan tentang tanggal lahir."),
    "unchanged": N_("Tidak ada yang berubah, jadi tidak ada yang disimpan."),
    "no-valid-certificate": N_("Dosis ini tidak punya sertifikat yang berlaku."),
    # refusals of what is done with accounts
    "own-account": N_("Ini akun Anda sendiri. Minta administrator lain, atau buka Akun saya."),
    "last-administrator": N_("Ini administrator aktif yang terakhir. Tambah atau aktifkan administrator lain dulu."),
    "account-changed": N_("Administrator lain baru saja mengubah akun ini. Lihat keadaannya di bawah, lalu ulangi."),
    "account-as-it-is": N_("Akun ini memang sudah begitu, jadi tidak ada yang diubah."),
    "second-factor-required": N_("Di sini setiap petugas memakai langkah kedua, jadi tidak dapat dimatikan."),
    "too-many-tries": N_("Terlalu banyak percobaan. Tunggu 15 menit, lalu coba lagi."),
    # refusals of what the facility does
    "resent-lately": N_(
        "Orang ini baru saja, atau sebentar lagi, menerima kiriman ulang. Jaraknya paling sedikit 15 menit."
    ),
    "resent-enough": N_("Orang ini sudah cukup banyak dikirimi ulang pada hari itu."),
    "no-links": N_("Tidak ada tautan yang masih hidup, jadi tidak ada yang dimatikan."),
    # refusals of the print desk
    "person-locked": N_("Sertifikatnya terkunci karena tanggal lahir salah 5 kali. Buka kuncinya dulu, lalu cetak."),
    "print-limit": N_("Hari ini sudah 5 lembar dibuat untuk dosis ini. Lembar terakhir tetap berlaku."),
    # refusals of what is done with uploaded lists
    "upload-changed": N_("Keadaan daftar ini baru saja berubah, mungkin oleh rekan Anda. Yang terbaru ada di bawah."),
    "pause-first": N_("Daftar ini sedang dicatat. Jeda dulu, baru hentikan."),
    # refusals of the work lists and dead letters
    "not-there": N_("Tidak ada lagi, atau milik fasilitas lain."),
    "settled-meanwhile": N_("Petugas lain baru saja menyelesaikan kiriman ini. Lihat di bawah apa yang dilakukan."),
    # refusals of what is done with bulk resends
    "nothing-to-send": N_("Tidak ada SMS yang dapat dikirim ulang dengan saringan ini."),
    "own-bulk": N_("Anda sendiri yang membuatnya. Mintalah penyelia lain menyetujui."),
    "already-decided": N_("Petugas lain baru saja memutuskan. Lihat di bawah apa yang dilakukan."),
    "count-changed": N_("Jumlahnya berubah sejak Anda lihat. Periksa jumlah yang baru, lalu setujui sekali lagi."),
    # refusals of what is done with requests to correct data
    "nik-taken": N_("NIK ini tercatat pada orang lain, jadi tidak dapat disetujui."),
    "proof-over": N_("Nomor yang meminta ini tidak lagi dipercaya: terkunci, diganti, atau disebut milik orang lain."),
    "no-picture": N_("Tidak ada foto kartu, atau sudah dihapus setelah diputuskan."),
    "nobody-fits": N_("Tidak ada orang dengan NIK dan tanggal lahir itu. Perbaiki lewat dosisnya, atau tolak."),
    "open-already": N_("Orang ini sudah punya permintaan terbuka untuk isian yang sama. Selesaikan itu dulu."),
    "asked-enough": N_("Foto kartu sudah diminta tiga kali. Putuskan, atau minta orangnya datang."),
    "no-dose": N_("Orang ini tidak punya dosis yang tercatat, jadi tidak ada yang diperbaiki."),
    "nothing-changed": N_("Itu sudah tercatat."),
    # refusals of the agents' desk
    "claimed": N_("Rekan lain sedang memegang kasus ini. Ambil kasus yang lain, atau minta ia menyerahkannya."),
    "not-asked": N_("Laporan ini ditutup di halaman laporannya."),
    "no-mail": N_("Surel belum diatur di sini. Minta pengelola sistem mengatur kotak suratnya."),
    "no-number": N_("Belum ada nomor yang dipastikan. Kenali dulu peneleponnya dengan tiga hal."),
    "other-closed": N_("Kasus yang lain sudah ditutup."),
    "other-claimed": N_("Rekan lain sedang memegang kasus yang lain."),
    "not-merged": N_("Kasus itu tidak sedang digabung ke sini. Lihat lagi halaman ini."),
    "made-anew": N_("Hal yang sama sudah dilaporkan lagi sebagai kasus baru, jadi tidak dapat dipisahkan."),
    "too-many-checks": N_(
        "Sudah terlalu banyak pemeriksaan yang salah. Orangnya dapat membuka halaman laporan dengan"
        " ponsel yang terdaftar, atau datang ke fasilitas dengan KTP."
    ),
    # refusals of what is done with API keys
    "not-live": N_("Kunci ini sudah tidak berlaku."),
    "rotated-before": N_("Petugas lain baru saja mengganti kunci ini. Penggantinya ada di daftar."),
    "made-before": N_(
        "Formulir ini sudah membuat satu kunci. Bila rahasianya terlewat, cabut kunci itu lalu buat lagi."
    ),
}
