"""AWS Signature Version 4 as a client computes it, for tests that need to bend single parts of it.

Source of the algorithm: AWS General Reference, "Create a signed AWS API request".
"""
import datetime
import hashlib
import hmac

ALGORITHM = "AWS4-HMAC-SHA256"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def amz_date(when=None):
    """`when` (or now) in basic ISO form, as X-Amz-Date carries it."""
    when = when or datetime.datetime.now(datetime.timezone.utc)
    return when.strftime("%Y%m%dT%H%M%SZ")


def signing_key(secret, date, region, service):
    key = _hmac(("AWS4" + secret).encode(), date)
    for part in (region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def authorization(headers, body, access_key, secret_key, region="us-east-1", service="timestream",
                  method="POST", path="/", query="", signed=None, payload_hash=None, scope_date=None):
    """The Authorization header for `headers` (a dict with host and x-amz-date) and `body`.

    `signed` names the headers to sign, all when None; `scope_date` the day of the credential scope.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    names = sorted(signed if signed is not None else lower)
    date = lower["x-amz-date"]
    day = scope_date or date[:8]
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = "\n".join([
        method, path, query,
        "".join(f"{name}:{' '.join(lower.get(name, '').split())}\n" for name in names),
        ";".join(names),
        payload_hash or hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join([ALGORITHM, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = signing_key(secret_key, day, region, service)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return (f"{ALGORITHM} Credential={access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}")
