#!/usr/bin/env python3
"""Make this folder's data files from the two originals. Needed only to make them anew.

    prepare.py COMPLETEJOURNEY SNOWPLOW OUT

COMPLETEJOURNEY holds the CSV exports of the R package's data sets (transactions_sample, products,
campaigns, campaign_descriptions, coupon_redemptions); SNOWPLOW is integration_tests/data of
dbt-snowplow-ecommerce 0.6.1. README.md says what is cut and changed, and why. The output is the
same to the byte on every run.
"""
import csv
import gzip
import io
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path


def rows(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as file:
        yield from csv.DictReader(file)


def write(path, header, lines):
    text = io.BytesIO()
    with gzip.GzipFile(fileobj=text, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write((header + "\n" + "".join(line + "\n" for line in lines)).encode())
    path.write_bytes(text.getvalue())
    print(f"{path.name}: {len(lines)} rows, {len(text.getvalue())} bytes")


def cents(text):
    return int(Decimal(text) * 100)


def word(text):
    """A text that is safe between our separators."""
    return "".join(c if c.isalnum() or c in "-. " else " " for c in text).strip() or "-"


def receipts(source):
    department = {r["product_id"]: word(r["department"]) for r in rows(source / "products.csv.gz")}
    baskets = {}
    for r in rows(source / "transactions_sample.csv.gz"):
        key = (r["transaction_timestamp"], r["basket_id"], r["household_id"], r["store_id"])
        baskets.setdefault(key, []).append(":".join((
            r["product_id"], department.get(r["product_id"], "-"), r["quantity"],
            str(cents(r["sales_value"])), str(cents(r["retail_disc"]) + cents(r["coupon_disc"])))))
    return [",".join(key + (";".join(lines),)) for key, lines in sorted(baskets.items())]


def mailings(source):
    campaign = {r["campaign_id"]: r for r in rows(source / "campaign_descriptions.csv")}
    return sorted(",".join((campaign[r["campaign_id"]]["start_date"], r["household_id"], r["campaign_id"],
                            campaign[r["campaign_id"]]["campaign_type"][-1]))
                  for r in rows(source / "campaigns.csv.gz")
                  if campaign[r["campaign_id"]]["start_date"] >= "2017-01-01")


def redemptions(source):
    return sorted(",".join((r["redemption_date"], r["household_id"], r["coupon_upc"], r["campaign_id"]))
                  for r in rows(source / "coupon_redemptions.csv.gz"))


def clicks(source):
    prefix = "com_snowplowanalytics_snowplow_ecommerce_"

    def context(name):
        table = {}
        for r in rows(source / f"{prefix}{name}_1.csv"):
            table.setdefault(r["root_id"], []).append(r)
        return table

    action, page, cart = context("action"), context("page"), context("cart")
    product, order = context("product"), context("transaction")
    lines = []
    for e in rows(source / "snowplow_ecommerce_events.csv"):
        key = e["event_id"]
        kind = action[key][0]["type"] if key in action else ""
        bought = order[key][0] if kind == "transaction" else None
        if bought and Decimal(bought["revenue"]) > 1000000:
            continue
        at = datetime.fromisoformat(e["derived_tstamp"].replace(" UTC", "").split("+")[0])
        at = at.replace(tzinfo=timezone.utc) - timedelta(days=1826)
        items = ";".join(":".join((word(p["id"]), word(p["category"]), str(cents(p["price"] or "0"))))
                         for p in product.get(key, []) if kind)
        lines.append(",".join((
            at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), key,
            e["domain_userid"][:16], e["domain_sessionid"][:16], kind,
            word(page[key][0]["type"]) if key in page else word(e["page_urlpath"]),
            str(cents(cart[key][0]["total_value"])) if kind and key in cart else "",
            bought["transaction_id"] if bought else "",
            str(cents(bought["revenue"])) if bought else "", items)))
    return sorted(lines)


def main():
    journey, snowplow, out = map(Path, sys.argv[1:])
    write(out / "receipts.csv.gz", "at,basket,household,store,lines", receipts(journey))
    write(out / "mailings.csv.gz", "date,household,campaign,type", mailings(journey))
    write(out / "redemptions.csv.gz", "date,household,coupon,campaign", redemptions(journey))
    write(out / "clicks.csv.gz", "at,event,device,session,action,page,cart_cents,order,order_cents,items",
          clicks(snowplow))


main()
