"""Stripe's objects as the API shows them, each made from one record of the world and nothing else.

Shapes are those of API version 2026-10-28.endive. Every field that Stripe sends without being asked to expand it is
there, null where it has no value; amounts are whole numbers in the smallest unit of their currency, times are
seconds since 1970. Ids of what the sandbox does not serve (payment methods, prices, ...) follow from the record.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.ids import stripe_id

API_VERSION = "2026-10-28.endive"
Body = dict[str, Any]
# name, amount in hundredths a month
PLANS = (("Basic", 900), ("Team", 2900), ("Business", 9900), ("Enterprise", 49900))
ZERO_DECIMAL = ("jpy",)
ACCOUNT = {"id": "acct_1SandboxAccount0", "country": "US", "name": "Sandbox Incorporated"}
NAMES = {"customers": "customer", "charges": "charge", "invoices": "invoice", "subscriptions": "subscription",
         "refunds": "refund", "events": "event"}  # fmt: skip
_LOCALES = {"US": "en-US", "GB": "en-GB", "DE": "de", "FR": "fr", "NL": "nl", "ES": "es", "MX": "es-419"}
_BRANDS = (("visa", "4"), ("mastercard", "5"), ("amex", "3"))


def body_of(row: Any) -> Body:
    """The body of `row`, a record of system stripe (mapping with the columns of `records`)."""
    if row["object"] == "customers" and row["state"] == "deleted":
        return deleted_body(row)
    fields = json.loads(row["fields"])
    return _BODIES[row["object"]](dict(row), fields)


def deleted_body(row: Any) -> Body:
    """What is left of a deleted customer."""
    return {"id": row["source_id"], "object": NAMES[row["object"]], "deleted": True}


def epoch(text: str) -> int:
    """Seconds since 1970 of a time as the world writes it, rounded down."""
    return int(datetime.fromisoformat(text).timestamp())


def plan_amount(plan: int, currency: str) -> int:
    """The monthly price of plan number `plan`, in the smallest unit of `currency`."""
    return PLANS[plan][1] if currency not in ZERO_DECIMAL else PLANS[plan][1] * 150 // 100


def customer_snapshot(fields: dict[str, Any]) -> Body:
    """Name, e-mail, phone and address of a customer as Stripe copies them to invoices and charges."""
    name = fields["full_name"].strip() or None
    return {"name": name, "email": fields["email"] or None, "phone": fields["phone"] or None,
            "address": _address(fields)}  # fmt: skip


def _address(fields: dict[str, Any]) -> Body | None:
    values = {
        "city": fields["city"],
        "country": fields["country"],
        "line1": fields["address"],
        "line2": "",
        "postal_code": fields["postal_code"],
        "state": fields["region"],
    }
    return {name: value or None for name, value in values.items()} if any(values.values()) else None


def _list(url: str, data: list[Body]) -> Body:
    return {"object": "list", "data": data, "has_more": False, "url": url}


def _customer(row: dict, fields: dict) -> Body:
    rng = random.Random(f"stripe customer/{row['source_id']}")
    ships, discounted, has_locale, reverse, described = (rng.random() for _ in range(5))
    balance, prefix = rng.choice((0, 0, 0, 0, -500, 1200)), f"{rng.getrandbits(32):08X}"
    known = customer_snapshot(fields)
    is_company = row["entity_id"].startswith("C")
    locale = _LOCALES.get(fields["country"]) if has_locale < 0.6 else None
    to = {name: known[name] for name in ("address", "name", "phone")}
    return {
        "id": row["source_id"],
        "object": "customer",
        "address": known["address"],
        "balance": balance,
        "business_name": known["name"] if is_company else None,
        "created": epoch(row["created_at"]),
        "currency": fields.get("currency") or None,
        "customer_account": None,
        "default_source": None,
        "delinquent": bool(fields.get("delinquent")),
        "description": f"{fields['company_name']} {fields['job_title']}".strip() or None if described < 0.5 else None,
        "discount": _discount(row) if discounted < 0.05 else None,
        "email": known["email"],
        "individual_name": None if is_company else known["name"],
        "invoice_prefix": prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": fields.get("payment_method") or None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": fields.get("metadata") or {},
        "name": known["name"],
        "next_invoice_sequence": 1,
        "phone": known["phone"],
        "preferred_locales": [locale] if locale else [],
        "shipping": to if ships < 0.25 and known["address"] and known["name"] else None,
        "tax_exempt": "reverse" if is_company and reverse < 0.1 else "none",
        "test_clock": None,
    }


def _discount(row: dict) -> Body:
    return {
        "id": stripe_id("di", 24)(row["seq"]),
        "object": "discount",
        "checkout_session": None,
        "customer": row["source_id"],
        "customer_account": None,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": "WELCOME10", "type": "coupon"},
        "start": epoch(row["created_at"]),
        "subscription": None,
        "subscription_item": None,
    }


def _charge(row: dict, fields: dict) -> Body:
    failed = fields["status"] == "failed"
    about = fields["billed_to"]
    return {
        "id": row["source_id"],
        "object": "charge",
        "amount": fields["amount"],
        "amount_captured": 0 if failed else fields["amount"],
        "amount_refunded": fields["amount_refunded"],
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None if failed else stripe_id("txn", 24)(row["seq"]),
        "billing_details": about | {"tax_id": None},
        "calculated_statement_descriptor": "SANDBOX INC",
        "captured": not failed,
        "created": epoch(row["created_at"]),
        "currency": fields["currency"],
        "customer": fields["customer"] or None,
        "description": fields["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if failed else None,
        "failure_message": "Your card was declined." if failed else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": fields["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(failed),
        "paid": not failed,
        "payment_intent": fields["payment_intent"],
        "payment_method": fields["payment_method"],
        "payment_method_details": {"card": _card(fields, row), "type": "card"},
        "radar_options": {},
        "receipt_email": None if failed else about["email"],
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{row['source_id']}" if not failed else None,
        "refunded": fields["amount_refunded"] == fields["amount"],
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": fields["status"],
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(failed: bool) -> Body:
    return {
        "advice_code": "try_again_later" if failed else None,
        "network_advice_code": None,
        "network_decline_code": "05" if failed else None,
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": "generic_decline" if failed else None,
        "risk_level": "normal",
        "risk_score": 21,
        "seller_message": "The bank did not return any further details." if failed else "Payment complete.",
        "type": "issuer_declined" if failed else "authorized",
    }


def _card(fields: dict, row: dict) -> Body:
    rng = random.Random(f"stripe card/{fields['payment_method']}")
    brand, _ = rng.choice(_BRANDS)
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    return {
        "amount_authorized": fields["amount"],
        "authorization_code": None,
        "brand": brand,
        "checks": checks,
        "country": rng.choice(("US", "GB", "DE")),
        "exp_month": rng.randint(1, 12),
        "exp_year": rng.randint(2026, 2031),
        "extended_authorization": {"status": "disabled"},
        "fingerprint": f"{rng.getrandbits(64):016x}",
        "funding": rng.choice(("credit", "debit")),
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": f"{rng.randint(0, 9999):04d}",
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": brand,
        "network_token": {"used": False},
        "network_transaction_id": str(100_000_000_000_000 + row["seq"]),
        "overcapture": {"maximum_amount_capturable": fields["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }


def _refund(row: dict, fields: dict) -> Body:
    pending = fields["status"] == "pending"
    reference = {"reference": None if pending else f"{row['seq']:016d}",
                 "reference_status": "pending" if pending else "available",
                 "reference_type": "acquirer_reference_number", "type": "refund"}  # fmt: skip
    return {
        "id": row["source_id"],
        "object": "refund",
        "amount": fields["amount"],
        "balance_transaction": stripe_id("txn", 24)(row["seq"]),
        "charge": fields["charge"],
        "created": epoch(row["created_at"]),
        "currency": fields["currency"],
        "customer": fields["customer"] or None,
        "customer_account": None,
        "description": fields["description"],
        "destination_details": {"card": reference, "type": "card"},
        "metadata": {},
        "payment_intent": fields["payment_intent"],
        "payment_method": fields["payment_method"],
        "pending_reason": "processing" if pending else None,
        "reason": fields["reason"],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": fields["status"],
        "transfer_reversal": None,
    }


def price_id(plan: int, currency: str) -> str:
    """The id of the monthly price of plan number `plan` in `currency`."""
    return stripe_id("price", 24)(_number_of(plan, currency))


def _product_id(plan: int) -> str:
    return stripe_id("prod", 14)(plan)


def _number_of(plan: int, currency: str) -> int:
    return int.from_bytes(f"{plan}{currency}".encode())


def _price(fields: dict) -> Body:
    amount = plan_amount(fields["plan"], fields["currency"])
    name, _ = PLANS[fields["plan"]]
    return {
        "id": price_id(fields["plan"], fields["currency"]),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": 1_546_300_800,
        "currency": fields["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": f"{name} monthly",
        "product": _product_id(fields["plan"]),
        "recurring": {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _plan(fields: dict) -> Body:
    """The older form of a price, which a subscription item still carries."""
    price = _price(fields)
    return {
        "id": price["id"],
        "object": "plan",
        "active": True,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": "month",
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _subscription_item(row: dict, fields: dict) -> Body:
    return {
        "id": stripe_id("si", 14)(row["seq"]),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": epoch(row["created_at"]),
        "current_period_end": fields["period_end"],
        "current_period_start": fields["period_start"],
        "discounts": [],
        "metadata": {},
        "plan": _plan(fields),
        "price": _price(fields),
        "quantity": fields["quantity"],
        "subscription": row["source_id"],
        "tax_rates": [],
    }


def _subscription_settings() -> Body:
    return {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
    }


def _subscription(row: dict, fields: dict) -> Body:
    item = _subscription_item(row, fields)
    return {
        "id": row["source_id"],
        "object": "subscription",
        **_subscription_settings(),
        "application": None,
        "application_fee_percent": None,
        "billing_cycle_anchor": epoch(row["created_at"]),
        "billing_cycle_anchor_config": None,
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": fields["period_end"] if fields["cancel_at_period_end"] else None,
        "cancel_at_period_end": fields["cancel_at_period_end"],
        "canceled_at": fields["canceled_at"],
        "cancellation_details": {
            "comment": None,
            "feedback": fields["feedback"],
            "feedback_option": None,
            "reason": "cancellation_requested" if fields["canceled_at"] else None,
        },
        "collection_method": "charge_automatically",
        "created": epoch(row["created_at"]),
        "currency": fields["currency"],
        "customer": fields["customer"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": fields["payment_method"],
        "default_source": None,
        "default_tax_rates": [],
        "description": fields["description"],
        "discounts": [],
        "ended_at": fields["ended_at"],
        "items": _list(f"/v1/subscription_items?subscription={row['source_id']}", [item]),
        "latest_invoice": fields["latest_invoice"] or None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": fields["metadata"],
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": epoch(row["created_at"]),
        "status": fields["status"],
        "status_details": None,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_start": None,
    }


def _line(row: dict, fields: dict) -> Body:
    """The one line of an invoice: the plan of its subscription, or work done."""
    by_plan = fields["plan"] is not None
    price = price_id(fields["plan"], fields["currency"]) if by_plan else stripe_id("price", 24)(row["seq"])
    details = {
        "invoice_item": stripe_id("ii", 24)(row["seq"]),
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": None,
    }
    parent: Body = {"invoice_item_details": details, "subscription_item_details": None, "type": "invoice_item_details"}
    if by_plan:
        item = details | {
            "invoice_item": None,
            "subscription": fields["subscription"],
            "subscription_item": stripe_id("si", 14)(fields["subscription_seq"]),
        }
        parent = {
            "invoice_item_details": None,
            "subscription_item_details": item,
            "type": "subscription_item_details",
        }
    unit = str(fields["amount"] // fields["quantity"])
    product = _product_id(fields["plan"]) if by_plan else stripe_id("prod", 14)(99)
    return {
        "id": stripe_id("il", 24)(row["seq"]),
        "object": "line_item",
        "amount": fields["amount"],
        "currency": fields["currency"],
        "description": fields["line"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": row["source_id"],
        "livemode": False,
        "metadata": {},
        "parent": parent,
        "period": {"end": fields["period_end"], "start": fields["period_start"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price, "product": product},
            "type": "price_details",
            "unit_amount_decimal": unit,
        },
        "quantity": fields["quantity"],
        "quantity_decimal": str(fields["quantity"]),
        "subscription": fields["subscription"] or None,
        "subtotal": fields["amount"],
        "taxes": [],
    }


def _invoice(row: dict, fields: dict) -> Body:
    return {"id": row["source_id"], "object": "invoice", **_invoice_money(fields), **_invoice_parties(fields),
            **_invoice_state(row, fields)}  # fmt: skip


def _invoice_money(fields: dict) -> Body:
    total = fields["amount"]
    paid = total if fields["status"] == "paid" else 0
    return {
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total - paid,
        "amount_shipping": 0,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "currency": fields["currency"],
        "ending_balance": None if fields["status"] == "draft" else 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "shipping_cost": None,
        "starting_balance": 0,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "threshold_reason": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def _invoice_parties(fields: dict) -> Body:
    about = fields["billed_to"]
    return {
        "account_country": ACCOUNT["country"],
        "account_name": ACCOUNT["name"],
        "account_tax_ids": None,
        "application": None,
        "customer": fields["customer"],
        "customer_account": None,
        "customer_address": about["address"],
        "customer_email": about["email"],
        "customer_name": about["name"],
        "customer_phone": about["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "issuer": {"type": "self"},
        "on_behalf_of": None,
        "shipping_details": None,
    }


def _invoice_state(row: dict, fields: dict) -> Body:
    status, subscription = fields["status"], fields["subscription"]
    is_draft = status == "draft"
    details = {"metadata": {}, "subscription": subscription}
    by = {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
    host = f"https://invoice.stripe.com/i/{ACCOUNT['id']}/test_{row['source_id']}"
    return {
        "attempt_count": fields["attempts"],
        "attempted": fields["attempts"] > 0,
        "auto_advance": status in ("draft", "open") and bool(subscription),
        "automatically_finalizes_at": None,
        "billing_reason": fields["billing_reason"],
        "collection_method": "charge_automatically" if subscription else "send_invoice",
        "created": epoch(row["created_at"]),
        "custom_fields": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": fields["description"],
        "discounts": [],
        "due_date": fields["due_date"],
        "effective_at": fields["finalized_at"],
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None if is_draft else host,
        "invoice_pdf": None if is_draft else f"{host}/pdf",
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": _list(f"/v1/invoices/{row['source_id']}/lines", [_line(row, fields)]),
        "livemode": False,
        "metadata": fields["metadata"],
        "next_payment_attempt": None,
        "number": None if is_draft else fields["number"],
        "parent": by if subscription else None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": fields["period_end"],
        "period_start": fields["period_start"],
        "receipt_number": None,
        "rendering": None,
        "statement_descriptor": None,
        "status": status,
        "status_details": None,
        "status_transitions": {
            "finalized_at": fields["finalized_at"],
            "marked_uncollectible_at": fields["uncollectible_at"],
            "paid_at": fields["paid_at"],
            "voided_at": fields["voided_at"],
        },
        "test_clock": None,
        "webhooks_delivered_at": epoch(row["created_at"]),
    }


def _event(row: dict, fields: dict) -> Body:
    return {
        "id": row["source_id"],
        "object": "event",
        "api_version": API_VERSION,
        "created": epoch(row["created_at"]),
        "data": fields["data"],
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": stripe_id("req", 14)(row["seq"]), "idempotency_key": None},
        "type": fields["type"],
    }


_BODIES: dict[str, Callable[[dict, dict], Body]] = {
    "customers": _customer,
    "charges": _charge,
    "invoices": _invoice,
    "subscriptions": _subscription,
    "refunds": _refund,
    "events": _event,
}
