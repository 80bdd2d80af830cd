"""Reads DICOM files with pydicom and prints what they say, a JSON object a line: an independent reading of the same bytes.

   dicom_oracle.py FOLDER
"""

import json
import os
import sys
import warnings

import pydicom
from pydicom.errors import InvalidDicomError

warnings.simplefilter("ignore")


def text(data, keyword):
    try:
        value = data.get(keyword)
        return None if value is None else str(value)
    except Exception:  # a value that pydicom itself cannot read
        return None


def read(path):
    try:
        data = pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError:
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if "SOPClassUID" not in data and "StudyInstanceUID" not in data:
            return None
    keys = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "Modality", "PatientID", "PatientName", "StudyDate"]
    return {key: text(data, key) for key in keys}


for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(folder, name)
        if name.endswith((".py", ".pyc", ".json", ".txt", ".zip", ".gz", ".csv", ".pyi", ".so", ".md")):
            continue
        try:
            said = read(path)
        except Exception:
            said = None
        print(json.dumps({"path": path, "said": said}))
