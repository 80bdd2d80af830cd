#!/usr/bin/env python3
"""Makes a dictionary for bundles: make.py CAUSEWAY NUMBER > NUMBER.dict

Writes messages as hospitals send them, all invented, has CAUSEWAY translate them and trains zstd on the bundles. What
is in a log stays readable only while its dictionary is known, so a new one gets a new NUMBER (32768 and up are free for
anybody, RFC 8878 5) and is added to the list in src/compress.rs; the old ones stay.
"""

import pathlib
import random
import subprocess
import sys
import tempfile

SIZE = 32 << 10
MESSAGES = 600

NAMES = "张^伟 王^芳 李^娜 陈^建国 刘^秀英 Smith^John^Q Garcia^Maria Jones^Ann Müller^Jürgen Peeters^Els".split()
SITES = "NORTH EAST CITY MERCY GENERAL".split()
ANALYTES = """2951-2^Sodium 2823-3^Potassium 2075-0^Chloride 2345-7^Glucose 2160-0^Creatinine 17861-6^Calcium
1975-2^Bilirubin 1742-6^Alanine_aminotransferase 1920-8^Aspartate_aminotransferase 2885-2^Protein 1751-7^Albumin
3094-0^Urea_nitrogen 718-7^Hemoglobin 6690-2^Leukocytes 777-3^Platelets 6598-7^Troponin_T 2524-7^Lactate""".split()
UNITS = "mmol/L mg/dL g/L 10*9/L % U/L umol/L".split()

some = random.Random(1)


def digits(count):
    return str(some.randrange(10 ** (count - 1), 10**count))


def time():
    date = f"20{some.randint(20, 29)}{some.randint(1, 12):02}{some.randint(1, 28):02}"
    return date + f"{some.randint(0, 23):02}{some.randint(0, 59):02}{some.randint(0, 59):02}" + some.choice(["", "+0800"])


def doctor():
    return f"{digits(4)}^{some.choice(NAMES)}"


def head(kind, structure, site):
    version = some.choice(["2.3.1", "2.4", "2.5.1"])
    return f"MSH|^~\\&|LIS|{site}|CAUSEWAY|HIS|{time()}||{kind}^{structure}|{digits(8)}|P|{version}||||||UNICODE UTF-8"


def patient(site):
    numbers = f"{digits(7)}^^^{site}^MR" + some.choice(["", f"~{digits(9)}^^^NATIONAL^NI"])
    born = f"19{some.randint(30, 99)}{some.randint(1, 12):02}{some.randint(1, 28):02}"
    home = f"{digits(2)} High Street^^{some.choice(['Shanghai', 'Ghent', 'Boston'])}^^{digits(5)}^CN^H"
    race = some.choice(["", "2106-3^White^HL70005"])
    married = some.choice(["", "M", "S"])
    return (
        f"PID|1||{numbers}||{some.choice(NAMES)}^^^^L||{born}|{some.choice('MF')}||{race}|{home}||"
        f"^PRN^PH^^^^{digits(8)}|||{married}"
    )


def visit(site):
    place = f"W{digits(1)}^{digits(2)}^{digits(1)}^{site}"
    return f"PV1|1|{some.choice('IOE')}|{place}||||{doctor()}|||MED|||||||||I{digits(9)}^^^{site}^VN"


def result(number):
    analyte = some.choice(ANALYTES).replace("_", " ")
    value = some.choice([digits(2), f"{digits(1)}.{digits(1)}", f"{digits(2)}.{digits(2)}"])
    flag = some.choice(["N", "N", "N", "H", "L", "HH", ""])
    local = some.choice(["", f"^L{digits(2)}^项目^L"])
    span = f"{digits(1)}-{digits(2)}"
    note = some.choice([""] * 9 + [f"\rNTE|1|L|repeat {digits(2)}"])
    return (
        f"OBX|{number}|NM|{analyte}^LN{local}||{value}|{some.choice(UNITS)}|{span}|{flag}|||F|||{time()}||{doctor()}{note}"
    )


def results():
    site = some.choice(SITES)
    placer, filler = digits(7), digits(7)
    lines = [head("ORU^R01", "ORU_R01", site), patient(site), visit(site)]
    lines.append(f"ORC|RE|{placer}^HIS|{filler}^LIS||CM||||{time()}|||{doctor()}")
    panel = some.choice(["24323-8^Comprehensive metabolic 2000 panel^LN", "58410-2^CBC panel^LN"])
    lines.append(
        f"OBR|1|{placer}^HIS|{filler}^LIS|{panel}|||{time()}|||||||||{doctor()}||||||{time()}||LAB|F"
    )
    return lines + [result(number) for number in range(1, some.randint(2, 16))]


def movement():
    site = some.choice(SITES)
    event = some.choice("A01 A02 A03 A04 A08 A28 A31".split())
    lines = [head(f"ADT^{event}", "ADT_A01", site), f"EVN|{event}|{time()}", patient(site)]
    lines.append(f"NK1|1|{some.choice(NAMES)}|SPO^Spouse^HL70063")
    lines.append(visit(site))
    more = [
        "AL1|1|DA^Drug allergy^HL70127|70618^Penicillin^RXNORM|SV|Hives",
        f"DG1|1||I10^Essential hypertension^I10|||A|||||||||{doctor()}",
        f"IN1|1|P{digits(2)}^Gold^L|{digits(4)}|Insurance",
    ]
    return lines + [line for line in more if some.random() < 0.5]


def main():
    causeway, number = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, f"{at}") for at in range(MESSAGES)]
        for file in files:
            make = results if some.random() < 0.7 else movement
            file.write_text("\r".join(make()) + "\r", newline="")
        translate = [causeway, "translate", "--output", "ndjson", *files]
        bundles = subprocess.run(translate, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        for file, bundle in zip(files, bundles.splitlines(), strict=True):
            file.write_bytes(bundle)
        train = ["zstd", "-q", "--train", f"--maxdict={SIZE}", f"--dictID={number}", "-o", "/dev/stdout", "-f", *files]
        subprocess.run(train, check=True)


main()
