"""An MLLP server as one writes it with the `hl7` package from PyPI: parses each message, keeps it in SQLite, synced before
it answers, and sends the package's own acknowledgement. Prints the address it listens on.

    python mllp_server.py DATABASE
"""

import asyncio
import sqlite3
import sys

from hl7.mllp import start_hl7_server


def opened(name):
    """A database whose commits are on disk when they return."""
    database = sqlite3.connect(name, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE message (control_id TEXT, type TEXT, patient TEXT, body TEXT)")
    return database


def keep(database, message):
    """One row a message."""
    header = message.segment("MSH")
    row = (str(header[10]), str(header[9]), str(message.segment("PID")[3]), str(message))
    database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)


async def main():
    database = opened(sys.argv[1])

    async def serve(reader, writer):
        try:
            while not writer.is_closing():
                message = await reader.readmessage()
                keep(database, message)
                writer.writemessage(message.create_ack())
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    async with await start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8") as server:
        print("%s:%d" % server.sockets[0].getsockname(), flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
