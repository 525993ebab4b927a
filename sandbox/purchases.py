"""Invoices of the ERP: how many a customer has, for how much, paid or not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

CURRENCY = {"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "NL": "EUR", "ES": "EUR", "MX": "MXN"}
_WITHOUT_INVOICES = 0.35
_FIRST_YEAR_DAYS = 730  # invoices reach two years back
_TERM = timedelta(days=30)


@dataclass
class Invoice:
    """One invoice; `cents` is the amount in hundredths of `currency`, dates are ISO text, '' when unpaid."""

    invoice_id: str
    customer_id: str
    invoice_number: str
    currency: str
    cents: int
    status: str
    issued_on: str
    due_on: str
    paid_on: str
    created_at: datetime
    updated_at: datetime


def invoice_count(rng: random.Random, is_company: bool) -> int:
    """How many invoices a customer has at the start: none for a third, else few, a company more."""
    if rng.random() < _WITHOUT_INVOICES:
        return 0
    return 1 + min(60, int(rng.expovariate(1 / (7.0 if is_company else 2.0))))


def make_invoice(
    rng: random.Random,
    number: int,
    customer_id: str,
    country: str,
    is_company: bool,
    issued: datetime,
    now: datetime,
) -> Invoice:
    """Invoice `number` issued at `issued`, in the state it has at `now`."""
    scale = 7.2 if is_company else 4.6
    cents = min(99_999_999, int(rng.lognormvariate(scale, 0.9) * 100) + 100)
    due = issued + _TERM
    status, paid_on, updated = "open", "", issued
    fate = rng.random()
    settled = issued + timedelta(days=rng.randint(1, 45), minutes=rng.randint(0, 1440))
    if fate < 0.03 and settled <= now:
        status, updated = "void", settled
    elif fate < 0.95 and settled <= now:
        status, paid_on, updated = "paid", settled.date().isoformat(), settled
    return Invoice(
        invoice_id=f"{number:08d}",
        customer_id=customer_id,
        invoice_number=f"INV-{issued.year}-{number:06d}",
        currency=CURRENCY[country],
        cents=cents,
        status=status,
        issued_on=issued.date().isoformat(),
        due_on=due.date().isoformat(),
        paid_on=paid_on,
        created_at=issued,
        updated_at=updated,
    )


def past_issue(rng: random.Random, now: datetime) -> datetime:
    """A moment of issue in the two years before `now`."""
    return now - timedelta(seconds=rng.randint(3600, _FIRST_YEAR_DAYS * 86400))
