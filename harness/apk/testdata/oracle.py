# Says what androguard reads of APKs, one JSON object a line. Names behind "--" are read
# with their bytecode.
import json
import logging
import sys

logging.disable(logging.CRITICAL)
from androguard.core.bytecodes.apk import APK
from androguard.core.bytecodes.dvm import DalvikVMFormat



def label(a):
    """The app's name; None where androguard can't read the resource table."""
    try:
        return a.get_app_name()
    except Exception:
        return None


code = False
for path in sys.argv[1:]:
    if path == "--":
        code = True
        continue
    a = APK(path)
    out = {
        "path": path,
        "package": a.get_package(),
        "versionCode": a.get_androidversion_code(),
        "versionName": a.get_androidversion_name(),
        "minSdk": a.get_min_sdk_version(),
        "targetSdk": a.get_target_sdk_version(),
        "label": label(a),
        "permissions": sorted(set(a.get_permissions())),
        "activity": sorted(set(a.get_activities())),
        "service": sorted(set(a.get_services())),
        "receiver": sorted(set(a.get_receivers())),
        "provider": sorted(set(a.get_providers())),
        "features": sorted(set(a.get_features())),
        "libraries": sorted(set(a.get_libraries())),
        "v1": a.is_signed_v1(),
        "v2": a.is_signed_v2(),
        "v3": a.is_signed_v3(),
        "certificates": sorted(set(c.sha256.hex() for c in a.get_certificates())),
    }
    if code:
        names, methods, strings = [], 0, 0
        for dex in a.get_all_dex():
            d = DalvikVMFormat(dex)
            names += d.get_classes_names()
            methods += len(d.methods.methods) if hasattr(d.methods, "methods") else d.header.method_ids_size
            strings += d.header.string_ids_size
        out["classes"] = sorted(str(n) for n in names)
        out["methods"] = methods
        out["strings"] = strings
    print(json.dumps(out))
