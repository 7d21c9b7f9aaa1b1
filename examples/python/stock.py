"""Orders what a list on the standard input asks for, one order for each line: `2 x 3`."""
import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SHOP = "http://api.shop.test"


def order(product, quantity):
    body = json.dumps({"lines": [{"product": product, "quantity": quantity}]}).encode()
    request = Request(f"{SHOP}/orders", body, {"content-type": "application/json"})
    with urlopen(request) as response:
        return json.load(response)["cents"]


total = 0
for line in sys.stdin:
    quantity, product = (int(part) for part in line.split("x"))
    try:
        total += order(product, quantity)
    except HTTPError as error:
        print(f"product {product}: {error.code}", file=sys.stderr)
print(f"{total / 100:.2f} EUR")
