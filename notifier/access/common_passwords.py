"""Passwords that attackers try first, as far as they are long enough for our other rules to let them through.

Own collection of the usual suspects in English and Indonesian and in this trade; small on purpose, since sign-in is
throttled. All folded to lower case.
"""

from __future__ import annotations

_WHOLE = """
123456789012 1234567890123 12345678901234 123456123456 123123123123 112233445566 111222333444 987654321098
qwertyuiop12 qwertyuiop123 qwertyuiop[] qwertyuiopasdf qwertyuiopasdfgh qwerty123456 qwerty12345678 1q2w3e4r5t6y
1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde3 asdfghjkl123 asdfghjkl;'\\ zxcvbnm12345 q1w2e3r4t5y6 1234qwerasdf
password1234 password12345 password123456 passw0rd1234 p@ssw0rd1234 p@ssword1234 passwordpassword password!234
letmein12345 welcome12345 welcome123456 iloveyou1234 iloveyou12345 administrator administrator1 administrator123
changeme1234 changemenow1 changeme12345 default12345 secret123456 trustno1trustno1 correcthorsebatterystaple
adminadmin12 admin1234567 admin12345678 admin@123456 admin!234567 rootroot1234 test12345678 testtesttest
indonesia123 indonesia1234 indonesia12345 indonesia1945 indonesia2024 indonesia2025 indonesia2026 merdeka17081945
indonesiaraya indonesiamerdeka bismillah123 bismillah1234 bismillah12345 bismillahirrahmanirrahim alhamdulillah
alhamdulillah1 alhamdulillah123 sayangkamu12 sayangku1234 akucintakamu akusayangkamu cintaku12345 katasandi123
katasandi1234 rahasia12345 rahasia123456 rahasiaku123 garuda123456 jakarta12345 jakarta123456 surabaya1234
bandung12345 puskesmas123 puskesmas1234 puskesmas12345 puskesmas2026 rumahsakit12 rumahsakit123 kesehatan123
kesehatan1234 kemenkes1234 kemenkes2026 vaksinasi123 vaksinasi1234 vaksinasi2026 vaccination1 vaccination123
pedulilindungi pedulilindungi1 pedulilindungi123 satusehat123 satusehat2026 sertilink123 sertilink1234
"""

_WORDS = """
password passwordpassword administrator adminadmin welcome letmein changeme qwerty qwertyuiop iloveyou indonesia
bismillah alhamdulillah katasandi rahasia puskesmas rumahsakit kesehatan kemenkes vaksinasi vaccination sertilink
pedulilindungi satusehat jakarta surabaya bandung sayangkamu akucintakamu
"""

COMMON = frozenset(_WHOLE.split())
#: nothing but one of these, whatever digits and signs stand around it
COMMON_WORDS = frozenset(_WORDS.split())
