"""Reads X12 files with pyx12 and says what it makes of them: for each file one line of JSON with the segments that its
parser reads, the errors of its own syntax check, and for a claim file the acknowledgement that it gives itself."""

import io
import json
import logging
import sys

logging.disable(logging.CRITICAL)

import pyx12.params  # noqa: E402
import pyx12.x12file  # noqa: E402
import pyx12.x12n_document  # noqa: E402


def read(path):
    """The segments and the errors of the envelope check."""
    segments, errors = [], []
    source = pyx12.x12file.X12Reader(path)
    for segment in source:
        segments.append(segment.format(seg_term="", ele_term="*", subele_term=":"))
        errors.extend(source.pop_errors())
    source.cleanup()
    errors.extend(source.pop_errors())
    return segments, [list(map(str, error)) for error in errors]


def acknowledge(path):
    """Whether pyx12 takes the file by its own map, and what it answers."""
    out = io.StringIO()
    try:
        good = pyx12.x12n_document.x12n_document(pyx12.params.params(), path, out, None, None)
    except Exception as error:  # no map, or a defect of its own
        return None, f"{type(error).__name__}: {error}"
    return bool(good), out.getvalue()


for path in sys.argv[1:]:
    try:
        segments, errors = read(path)
    except Exception as error:  # a header that it cannot read
        segments, errors = [], [[str(error)]]
    good, answer = acknowledge(path)
    print(json.dumps({"segments": segments, "errors": errors, "good": good, "answer": answer}))
