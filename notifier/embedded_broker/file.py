"""The broker's file as one process sees it: connections, transactions, upkeep, and which consuming processes live.

SQLite must not be carried over a fork: the child would inherit the library's belief about locks that only the parent
holds (https://www.sqlite.org/howtocorrupt.html, 2.6). So all connections of the process are closed just before a fork,
once they are idle, and each side opens its own again. Connections belong to one thread each.
"""

# mypy: allow-subclassing-any
# (Kombu's exceptions have no annotations.)

import fcntl
import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kombu.exceptions import OperationalError

PRUNE_INTERVAL = 1.0  # seconds
SHRINK_PAGES = 2048  # free pages (of 4 KiB) above which the file gives some back
FORMAT = 1  # PRAGMA user_version

SCHEMA = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, payload TEXT NOT NULL, expires_at REAL,
    deliveries INTEGER NOT NULL DEFAULT 0, lease TEXT, leased_until REAL, consumer INTEGER);
CREATE INDEX message_ready ON message (queue, id) WHERE lease IS NULL;
CREATE INDEX message_leased ON message (leased_until) WHERE lease IS NOT NULL;
CREATE INDEX message_expiry ON message (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE exchange (name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE binding (
    exchange TEXT NOT NULL, routing_key TEXT NOT NULL, pattern TEXT NOT NULL, queue TEXT NOT NULL,
    PRIMARY KEY (exchange, routing_key, pattern, queue)) WITHOUT ROWID;
CREATE INDEX binding_queue ON binding (queue);
CREATE TABLE queue (
    name TEXT PRIMARY KEY, message_ttl REAL, expires_after REAL, used_at REAL NOT NULL,
    auto_delete INTEGER NOT NULL, transient INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE queue_user (
    queue TEXT NOT NULL, channel TEXT NOT NULL, consumer INTEGER NOT NULL, PRIMARY KEY (queue, channel)) WITHOUT ROWID;
CREATE TABLE consumer (id INTEGER PRIMARY KEY AUTOINCREMENT);
"""

# A transient queue lives as long as its users; one with an expiry that long after its last use.
UNUSED_QUEUES = """SELECT name FROM queue WHERE (transient OR used_at + expires_after <= :now)
    AND NOT EXISTS (SELECT 1 FROM queue_user WHERE queue_user.queue = queue.name)"""
ANYTHING_DUE = f"""SELECT EXISTS (SELECT 1 FROM message WHERE lease IS NOT NULL AND leased_until <= :now)
    OR EXISTS (SELECT 1 FROM message WHERE expires_at <= :now AND lease IS NULL)
    OR EXISTS ({UNUSED_QUEUES})"""  # noqa: S608 - constants only

_files: dict[str, "BrokerFile"] = {}  # one per path and process, as POSIX locks are the process's
_registry_lock = threading.Lock()


class BrokerUnavailable(OperationalError):
    """The file cannot be used now (locked for too long, full, moved, damaged). Kombu and Celery connect again."""


class _Handle:
    """One thread's connection. The lock is held while it is in use, so that a fork can wait for it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.db: sqlite3.Connection | None = None
        self.identity: tuple[int, int] | None = None

    def close(self) -> None:
        db, self.db = self.db, None
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()

    __del__ = close


class BrokerFile:
    """Transactions on one broker file. Every method may raise BrokerUnavailable; then nothing of it was written."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.busy_timeout = 10.0
        self.handles: weakref.WeakSet[_Handle] = weakref.WeakSet()
        self._local = threading.local()
        self._opening = threading.Lock()
        self._locks = -1  # descriptor of <path>-consumers; closing it would drop this process's locks
        self._consumer: tuple[int, tuple[int, int] | None, int] | None = None  # (pid, file, number)
        self._own: set[tuple[int, int]] = set()
        self._prune_at = 0.0
        self.forking: list[_Handle] = []

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for single SELECTs."""
        handle = self._handle()
        with handle.lock:
            try:
                yield self._connection(handle)
            except sqlite3.Error as error:
                raise self._failed(handle, error) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from its start (BEGIN IMMEDIATE) and is on disk at its end."""
        handle = self._handle()
        with handle.lock:
            try:
                db = self._connection(handle)
                self._begin(db)
                try:
                    yield db
                    self._check_in_place(handle)
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        with suppress(sqlite3.Error):
                            db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._failed(handle, error) from error

    def identity(self) -> tuple[int, int] | None:
        """Which file this thread has open (device, inode)."""
        return self._handle().identity

    def consumer(self) -> int:
        """The number under which this process holds leases. Its byte is locked before anybody can see the number."""
        handle = self._handle()
        while True:
            with self.read():
                known = self._consumer
                if known is not None and known[:2] == (os.getpid(), handle.identity):
                    return known[2]
            with self.write() as db:
                number = int(db.execute("INSERT INTO consumer DEFAULT VALUES RETURNING id").fetchall()[0][0])
                if self._lock_byte(number):  # else somebody still serves a deleted file of this name
                    self._own.add((os.getpid(), number))
                    self._consumer = (os.getpid(), handle.identity, number)

    def prune(self) -> None:
        """At most once a second: end lapsed leases and those of dead processes, drop what has expired."""
        if time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_INTERVAL
        with self.read() as db:
            numbers = [int(row[0]) for row in db.execute("SELECT id FROM consumer").fetchall()]
            due = db.execute(ANYTHING_DUE, {"now": time.time()}).fetchone()[0]
            free_pages = db.execute("PRAGMA freelist_count").fetchone()[0]
        dead = [number for number in numbers if (os.getpid(), number) not in self._own and self._lock_byte(number)]
        try:
            if dead or due:
                with self.write() as db:
                    _remove_what_is_due(db, dead)
        finally:
            for number in dead:
                self._unlock_byte(number)
        if free_pages > SHRINK_PAGES:
            with (
                self.read() as db
            ):  # its own transaction; execute() would stop after one page, executescript() does not
                db.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES // 2})")

    def _handle(self) -> _Handle:
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is None:
            handle = self._local.handle = _Handle()
            with _registry_lock:
                self.handles.add(handle)
        return handle

    def _connection(self, handle: _Handle) -> sqlite3.Connection:
        if handle.db is None:
            handle.db, handle.identity = self._open()
        else:
            self._check_in_place(handle)
        return handle.db

    def _check_in_place(self, handle: _Handle) -> None:
        """SQLite would go on writing to a deleted file without a word, and the messages would be gone with it."""
        if _identity(self.path) != handle.identity:
            raise sqlite3.OperationalError("the file was deleted or replaced while in use")

    def _failed(self, handle: _Handle, error: sqlite3.Error) -> BrokerUnavailable:
        if not _is_busy(error):
            handle.close()  # start afresh: it may be another file by now, or the disk may have room again
        return BrokerUnavailable(f"the embedded broker {self.path} cannot be used: {error}")

    def _begin(self, db: sqlite3.Connection) -> None:
        """Some kinds of SQLITE_BUSY pass by SQLite's own waiting, so wait here too, within the same bound."""
        deadline = time.monotonic() + self.busy_timeout
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
        """One process and thread at a time, so that creation, clearing of orphans and the switch to WAL never race."""
        with self._opening:
            try:
                self._open_locks()
                deadline = time.monotonic() + self.busy_timeout
                while not self._lock_byte(0):
                    if time.monotonic() >= deadline:
                        raise sqlite3.OperationalError("another process is opening it and does not finish")
                    time.sleep(0.01)
                try:
                    _create_private(self.path)
                    return _connect(self.path, self.busy_timeout), _identity(self.path)
                finally:
                    self._unlock_byte(0)
            except OSError as error:
                raise sqlite3.OperationalError(f"{error.strerror} ({error.filename})") from error

    def _open_locks(self) -> None:
        path = f"{self.path}-consumers"
        if self._locks >= 0:
            mine = os.fstat(self._locks)
            if (mine.st_dev, mine.st_ino) == _identity(path):
                return
        self._locks = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # an old one stays open on purpose

    def _lock_byte(self, number: int) -> bool:
        """Try the lock of one byte. POSIX locks are the process's: asking for one's own always succeeds."""
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            raise BrokerUnavailable(f"the embedded broker {self.path} cannot be locked: {error.strerror}") from error
        return True

    def _unlock_byte(self, number: int) -> None:
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, number)


class Session:
    """A Kombu connection's use of the file. It ends when the file is replaced, since all must be declared again then:
    a publisher that simply went on would see its messages dropped for want of a queue.
    """

    def __init__(self, file: BrokerFile) -> None:
        self._file = file
        with file.read():
            self._identity = file.identity()
        self.consumer = file.consumer
        self.prune = file.prune

    def in_place(self) -> bool:
        return self._identity == _identity(self._file.path)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._file.read() as db:
            self._check()
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with self._file.write() as db:
            self._check()
            yield db

    def _check(self) -> None:
        if self._file.identity() != self._identity:
            raise BrokerUnavailable(f"the embedded broker {self._file.path} was deleted or replaced; connect again")


def broker_file(path: str) -> BrokerFile:
    """The one BrokerFile of this process for an absolute path."""
    with _registry_lock:
        if not _files:
            os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
        return _files.setdefault(path, BrokerFile(path))


def drop_queues(db: sqlite3.Connection, names: list[str]) -> None:
    """Remove queues with all that hangs on them."""
    for name in names:
        db.execute("DELETE FROM message WHERE queue = ?", (name,))
        db.execute("DELETE FROM binding WHERE queue = ?", (name,))
        db.execute("DELETE FROM queue_user WHERE queue = ?", (name,))
        db.execute("DELETE FROM queue WHERE name = ?", (name,))


def drop_unused_queues(db: sqlite3.Connection) -> None:
    """Remove transient queues without users and queues whose expiry has come."""
    drop_queues(db, [row[0] for row in db.execute(UNUSED_QUEUES, {"now": time.time()}).fetchall()])


def leave_queues(db: sqlite3.Connection, column: str, user: str | int) -> None:
    """A channel or a consumer process (`column`) uses its queues no more; their expiry counts from now."""
    users = f"FROM queue_user WHERE {column} = ?"
    db.execute(f"UPDATE queue SET used_at = ? WHERE name IN (SELECT queue {users})", (time.time(), user))  # noqa: S608
    db.execute(f"DELETE {users}", (user,))


def _remove_what_is_due(db: sqlite3.Connection, dead: list[int]) -> None:
    now = time.time()
    for number in dead:
        leave_queues(db, "consumer", number)
        db.execute("UPDATE message SET leased_until = 0 WHERE lease IS NOT NULL AND consumer = ?", (number,))
        db.execute("DELETE FROM consumer WHERE id = ?", (number,))
    db.execute("UPDATE message SET lease = NULL WHERE lease IS NOT NULL AND leased_until <= ?", (now,))
    db.execute("DELETE FROM message WHERE expires_at <= ? AND lease IS NULL", (now,))
    drop_unused_queues(db)


def _create_private(path: str) -> None:
    """The file, readable by its owner alone; SQLite gives its -wal and -shm the same mode."""
    try:
        # Only a new file may be opened and closed here: closing any descriptor drops the locks SQLite holds on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
            os.chmod(path, 0o600)
        return
    for orphan in (f"{path}-wal", f"{path}-shm"):  # of a deleted file of this name; SQLite would take them for ours
        with suppress(FileNotFoundError):
            os.unlink(orphan)


def _connect(path: str, busy_timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, FORMAT):
            raise sqlite3.OperationalError(f"it has format {version}, this program reads format {FORMAT}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has effect on an empty file only
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise sqlite3.OperationalError("its file system does not support WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # events carry personal data: none stays behind in free pages
        db.execute("PRAGMA journal_size_limit = 67108864")
        if version == 0:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _before_fork() -> None:
    _registry_lock.acquire()
    for file in _files.values():
        file.forking = list(file.handles)
        for handle in file.forking:
            handle.lock.acquire()
            handle.close()


def _after_fork() -> None:
    for file in _files.values():
        for handle in file.forking:
            handle.lock.release()
        file.forking = []
    _registry_lock.release()
