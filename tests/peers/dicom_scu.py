"""Stores DICOM files with pynetdicom, each in its own transfer syntax, and compares what was stored byte for byte.

   dicom_scu.py [--tls JSON] HOST PORT OBJECTS FILE...

JSON is that of tls_client.py. Prints a JSON object a file: its status, and whether OBJECTS holds a file with the same data set.
"""

import json
import sys
import warnings
from pathlib import Path

from pydicom import config, dcmread
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, _config

warnings.simplefilter("ignore")
config.settings.reading_validation_mode = config.IGNORE
_config.STORE_SEND_CHUNKED_DATASET = True


def data_set(path):
    with open(path, "rb") as file:
        read_preamble(file, False)
        _read_file_meta_info(file)
        return file.read()


arguments, tls = sys.argv[1:], None
if arguments[0] == "--tls":
    from tls_client import context

    tls = (context(json.loads(arguments[1])), arguments[2])
    arguments = arguments[2:]
host, port, objects, *files = arguments
statuses = []
for path in files:
    data = dcmread(path, stop_before_pixels=True)
    ae = AE(ae_title="PYNETDICOM")
    ae.add_requested_context(data.SOPClassUID, data.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian))
    association = ae.associate(host, int(port), ae_title="CAUSEWAY", tls_args=tls)
    if not association.is_established:
        statuses.append("no association")
        continue
    if not association.accepted_contexts:
        statuses.append("no context")
    else:
        status = association.send_c_store(Path(path))
        statuses.append(f"{status.Status:04X}" if "Status" in status else "no status")
    association.release()

stored = {data_set(path) for path in Path(objects).glob("??/*.dcm")}
for path, status in zip(files, statuses):
    print(json.dumps({"path": path, "status": status, "same": data_set(path) in stored}))
