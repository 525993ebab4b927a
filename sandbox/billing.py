"""What Stripe holds beside its customers: subscriptions, invoices, charges, refunds, and an event for every change.

A subscription bills once a month; each period is an invoice, a paid one has a charge. Some invoices are written by
hand, some charges have no invoice. Fields of these records are what `sandbox/stripe_objects.py` makes bodies of.
Whatever changes a record of system stripe, in whatever way, leaves the event that Stripe would send.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.ids import stripe_id
from sandbox.places import COUNTRY_SPELLINGS
from sandbox.purchases import CURRENCY
from sandbox.records import AFTER_CHANGE, NewRecord, change_record, end_record, insert_records
from sandbox.stripe_objects import PLANS, body_of, customer_snapshot, epoch, plan_amount
from sandbox.world import START, World, iso

if TYPE_CHECKING:
    from sandbox.tick import Day

SUBSCRIBED, YEN, ALSO_IN_ERP = 0.35, 0.04, 0.4  # shares of the customers
CANCELED, FAILED, REFUNDED = 0.25, 0.06, 0.06
_PERIOD = timedelta(days=30)
_PERIODS = 6  # how many past periods of a subscription are still there
_CHUNK = 2000
_FEEDBACK = (None, "too_expensive", "unused", "switched_service")
_REASONS = ("requested_by_customer", "duplicate", None)
_COUNTRY_OF = {name: code for code, names in COUNTRY_SPELLINGS.items() for name in (code, *names)}


# ---------- the first day
def first_day(world: World) -> None:
    """Billing of the first day, and what customers carry because of it."""
    erp_ids = dict(
        world.connection.execute(
            "select entity_id, min(source_id) from records where system = 'erp' and object = 'customers'"
            " and state = 'live' group by entity_id"
        ).fetchall()
    )
    # The lists are read newest first; other systems are never asked for in this order.
    world.connection.execute(
        "create index if not exists stripe_by_creation on records (object, created_at, seq) where system = 'stripe'"
    )
    records: list[NewRecord] = []
    for row in world.rows("select * from records where system = 'stripe' and object = 'customers' order by seq"):
        rng = random.Random(f"{world.seed}/billing/{row['source_id']}")
        fields = json.loads(row["fields"])
        fields |= _settings_of(fields, rng, erp_ids.get(row["entity_id"]), row["seq"])
        world.connection.execute(
            "update records set fields = ? where system = 'stripe' and object = 'customers' and source_id = ?",
            (json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")), row["source_id"]),
        )
        records += _Account(world, rng, row["source_id"], fields, 0).history(row["created_at"])
        if len(records) > _CHUNK:
            insert_records(world, records)
            records = []
    insert_records(world, records)


def _settings_of(fields: dict[str, Any], rng: random.Random, erp_id: str | None, seq: int) -> dict[str, Any]:
    """What Stripe keeps of a customer that is no identity."""
    currency = CURRENCY.get(_COUNTRY_OF.get(fields["country"], "US"), "USD").lower()
    linked = rng.random() < ALSO_IN_ERP and erp_id
    return {
        "currency": "jpy" if rng.random() < YEN else currency,
        "payment_method": stripe_id("pm", 24)(seq),
        "metadata": {"erp_customer_id": erp_id} if linked else {},
    }


class _Account:
    """Makes the billing records of one customer."""

    def __init__(self, world: World, rng: random.Random, customer: str, fields: dict[str, Any], day: int) -> None:
        self.world, self.rng, self.day = world, rng, day
        self.customer, self.fields = customer, fields
        self.currency = fields.get("currency") or "usd"

    def history(self, since: str) -> Iterator[NewRecord]:
        """Everything of the first day; nothing is older than the customer."""
        opened = datetime.fromisoformat(since)
        if self.rng.random() < SUBSCRIBED:
            yield from self._subscription_with_past(max(opened, START - timedelta(days=self.rng.randint(5, 700))))
        if self.rng.random() < 0.15:
            yield from self._invoice_by_hand(self._between(opened, START))
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            yield from self._charged_once(self._between(opened, START))

    def _between(self, first: datetime, last: datetime) -> datetime:
        return last - timedelta(seconds=self.rng.randint(60, max(61, int((last - first).total_seconds()))))

    def _subscription_with_past(self, start: datetime) -> Iterator[NewRecord]:
        start = min(start, START - timedelta(hours=1))
        periods = (START - start) // _PERIOD + 1
        subscription = self.subscription(start, start + _PERIOD * (periods - 1))
        fields = subscription.fields
        if periods > 1 and self.rng.random() < CANCELED:
            ended = start + _PERIOD * (periods - 1)
            fields |= {"status": "canceled", "canceled_at": _seconds(ended), "ended_at": _seconds(ended),
                       "feedback": self.rng.choice(_FEEDBACK)}  # fmt: skip
            fields |= {"period_start": _seconds(ended - _PERIOD), "period_end": _seconds(ended)}
            periods -= 1
        made = []
        for number in range(max(0, periods - _PERIODS), periods):
            made += self.period(subscription.source_id, subscription.seq, fields, start + _PERIOD * number, number == 0)
        fields["latest_invoice"] = next(one.source_id for one in reversed(made) if one.object == "invoices")
        yield subscription
        yield from made

    # ---------- the records
    def subscription(self, start: datetime, period_start: datetime) -> NewRecord:
        """A running subscription that began at `start`."""
        plan = self.rng.choices(range(len(PLANS)), (40, 35, 20, 5))[0]
        fields = {
            "customer": self.customer,
            "plan": plan,
            "quantity": self.rng.choice((1, 1, 1, 2, 5)),
            "currency": self.currency,
            "status": "active",
            "period_start": _seconds(period_start),
            "period_end": _seconds(period_start + _PERIOD),
            "cancel_at_period_end": False,
            "canceled_at": None,
            "ended_at": None,
            "feedback": None,
            "latest_invoice": "",
            "payment_method": self.fields.get("payment_method"),
            "description": f"{PLANS[plan][0]} plan",
            "metadata": {"sales_channel": self.rng.choice(("web", "partner"))} if self.rng.random() < 0.5 else {},
        }
        return self._record("subscriptions", fields, start)

    def period(self, subscription: str, seq: int, fields: dict, start: datetime, first: bool) -> list[NewRecord]:
        """The invoice of one period of a subscription, and the charge that paid it or failed to."""
        amount = plan_amount(fields["plan"], fields["currency"]) * fields["quantity"]
        moment = _seconds(start)
        invoice = self._invoice(start, amount, fields["quantity"]) | {
            "subscription": subscription,
            "subscription_seq": seq,
            "plan": fields["plan"],
            "line": f"{fields['quantity']} × {PLANS[fields['plan']][0]} (at {amount / fields['quantity']:g} / month)",
            "billing_reason": "subscription_create" if first else "subscription_cycle",
            "status": "open",
            "finalized_at": moment,
            "attempts": 1,
            "period_start": moment,
            "period_end": _seconds(start + _PERIOD),
        }
        made = self._record("invoices", invoice, start)
        what = "Subscription creation" if first else "Subscription update"
        fails = self.rng.random() < FAILED
        charge = self.charge(start + timedelta(seconds=2), amount, what, "failed" if fails else "succeeded")
        charge.fields["invoice"] = made.source_id
        if fails and self.rng.random() < 0.4:
            invoice |= {"status": "uncollectible", "uncollectible_at": moment + 86_400}
        elif not fails:
            invoice |= {"status": "paid", "paid_at": moment + 2}
        refunded = self.day == 0 and not fails and self.rng.random() < REFUNDED  # later days refund by themselves
        refund = self._refund_of(charge) if refunded else []
        return [made, charge, *refund]

    def _invoice_by_hand(self, start: datetime) -> Iterator[NewRecord]:
        invoice = self.by_hand(start)
        status = self.rng.choice(("draft", "open", "paid", "void"))
        moment = _seconds(start)
        if status != "draft":
            invoice.fields |= {"finalized_at": moment, "status": status}
        if status == "paid":
            invoice.fields |= {"paid_at": moment, "attempts": 1}
            charge = self.charge(start, invoice.fields["amount"], "Payment for Invoice", "succeeded")
            charge.fields["invoice"] = invoice.source_id
            yield charge
        if status == "void":
            invoice.fields["voided_at"] = moment
        yield invoice

    def by_hand(self, moment: datetime) -> NewRecord:
        """A draft invoice for work done."""
        quantity = self.rng.randint(1, 8)
        fields = self._invoice(moment, quantity * self.rng.randint(50, 150) * 100, quantity)
        return self._record("invoices", fields, moment)

    def _invoice(self, moment: datetime, amount: int, quantity: int) -> dict[str, Any]:
        return {
            "customer": self.customer, "billed_to": customer_snapshot(self.fields), "currency": self.currency,
            "amount": amount, "quantity": quantity, "subscription": "", "subscription_seq": 0, "plan": None,
            "line": f"{quantity} hours of service", "description": "Services" if self.rng.random() < 0.5 else None,
            "billing_reason": "manual", "status": "draft", "attempts": 0,
            "number": f"{self.rng.getrandbits(32):08X}-{self.rng.randint(1, 9999):04d}",
            "due_date": None, "finalized_at": None, "paid_at": None, "voided_at": None, "uncollectible_at": None,
            "period_start": _seconds(moment), "period_end": _seconds(moment),
            "metadata": {"order": f"PO-{self.rng.randint(1000, 9999)}"} if self.rng.random() < 0.3 else {},
        }  # fmt: skip

    def _charged_once(self, moment: datetime) -> Iterator[NewRecord]:
        charge = self.charge(moment, self.rng.randint(5, 300) * 100, "Web shop order", "succeeded")
        yield charge
        if self.rng.random() < REFUNDED:
            yield from self._refund_of(charge)

    def charge(self, moment: datetime, amount: int, what: str, status: str) -> NewRecord:
        """A charge of `amount` in the smallest unit of the customer's currency."""
        fields = {
            "customer": self.customer, "billed_to": customer_snapshot(self.fields), "currency": self.currency,
            "amount": amount, "amount_refunded": 0, "description": what, "status": status, "invoice": "",
            "payment_method": self.fields.get("payment_method"), "metadata": {},
        }  # fmt: skip
        made = self._record("charges", fields, moment)
        made.fields["payment_intent"] = stripe_id("pi", 24)(made.seq)
        return made

    def _refund_of(self, charge: NewRecord) -> list[NewRecord]:
        """A refund, and the charge brought in line with it; only for a charge that is not in the world yet."""
        share = self.rng.choice((1.0, 1.0, 0.5))
        later = datetime.fromisoformat(charge.created_at) + timedelta(days=self.rng.randint(0, 5), hours=1)
        refund = self.refund(
            charge.source_id, charge.fields, min(later, START), int(charge.fields["amount"] * share), "succeeded"
        )
        charge.fields["amount_refunded"] = refund.fields["amount"]
        return [refund]

    def refund(self, charge_id: str, charge: dict, moment: datetime, amount: int, status: str) -> NewRecord:
        """A refund of `amount` of a charge with fields `charge`."""
        names = ("customer", "currency", "payment_intent", "payment_method")
        fields = {name: charge[name] for name in names} | {
            "charge": charge_id,
            "amount": amount,
            "reason": self.rng.choice(_REASONS),
            "description": None,
            "status": status,
        }
        return self._record("refunds", fields, moment)

    def _record(self, name: str, fields: dict, moment: datetime) -> NewRecord:
        source_id, seq = self.world.new_id("stripe", name, scattered=self.day == 0)
        time = iso(moment)
        return NewRecord("stripe", name, source_id, seq, "", fields, time, time, self.day)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


# ---------- the days after
def next_day(world: World, day: Day) -> None:
    """Renewals, new and canceled subscriptions, payments, refunds, drafts that come and go."""
    _BillingDay(world, day).run()


class _BillingDay:
    def __init__(self, world: World, day: Day) -> None:
        self.world, self.day = world, day
        self.rng = random.Random(f"{world.seed}/billing day/{day.number}")

    def run(self) -> None:
        self._renew()
        self._cancel()
        self._subscribe()
        self._settle_invoices()
        self._write_invoices()
        self._settle_refunds()
        self._refund()
        self._sell()

    def _moment(self) -> datetime:
        return self.day.before + timedelta(seconds=self.rng.randint(1, 86_300))

    def _rows(self, name: str, where: str, *values: Any) -> list[sqlite3.Row]:
        return self.world.rows(
            f"select * from records where system = 'stripe' and object = '{name}' and state = 'live' and {where}"
            " order by seq",
            values,
        )

    def _some(self, rows: list[sqlite3.Row], share: float) -> list[sqlite3.Row]:
        """At least one of `rows`, where there is one."""
        return self.rng.sample(rows, min(len(rows), max(1, round(len(rows) * share))))

    def _customers(self, share: float) -> list[_Account]:
        rows = self._some(self._rows("customers", "true"), share)
        return [self._account(row) for row in rows]

    def _account(self, row: sqlite3.Row) -> _Account:
        return _Account(self.world, self.rng, row["source_id"], json.loads(row["fields"]), self.day.number)

    def _change(self, row: sqlite3.Row, fields: dict, moment: datetime, what: str) -> None:
        change_record(self.world, row, fields, iso(moment), self.day.number)
        self._count(row["object"], what)

    def _add(self, records: list[NewRecord]) -> None:
        insert_records(self.world, records)
        for record in records:
            self._count(record.object, "new")

    def _count(self, name: str, what: str) -> None:
        self.day.counts["stripe", f"{name} {what}"] += 1

    def _renew(self) -> None:
        due = self._rows(
            "subscriptions",
            "json_extract(fields, '$.status') in ('active', 'past_due') and json_extract(fields, '$.period_end') <= ?",
            _seconds(self.day.now) - 5,  # what a renewal sets off takes some seconds of the day
        )
        for row in due:
            fields = json.loads(row["fields"])
            customer = self.world.record("stripe", "customers", fields["customer"])
            start = datetime.fromtimestamp(fields["period_end"], UTC)
            moment = max(start, self.day.before + timedelta(seconds=1))
            if fields["cancel_at_period_end"]:
                ended = {"status": "canceled", "ended_at": _seconds(moment)}
                self._change(row, fields | ended, moment, "changed")
                continue
            made = self._account(customer).period(row["source_id"], row["seq"], fields, start, False)
            for record in made:
                record.created_at = record.updated_at = max(record.created_at, iso(moment))
            self._add(made)
            fields |= {"period_start": _seconds(start), "period_end": _seconds(start + _PERIOD),
                       "latest_invoice": made[0].source_id,
                       "status": "active" if made[0].fields["status"] == "paid" else "past_due"}  # fmt: skip
            self._change(row, fields, moment + timedelta(seconds=3), "changed")

    def _cancel(self) -> None:
        running = self._rows(
            "subscriptions",
            "json_extract(fields, '$.status') in ('active', 'past_due') and changed_day < ?"
            " and not json_extract(fields, '$.cancel_at_period_end')",
            self.day.number,
        )
        for row in self._some(running, 0.004):
            moment = self._moment()
            fields = json.loads(row["fields"]) | {
                "canceled_at": _seconds(moment),
                "feedback": self.rng.choice(_FEEDBACK),
            }
            at_once = {"status": "canceled", "ended_at": _seconds(moment)}
            fields |= at_once if self.rng.random() < 0.5 else {"cancel_at_period_end": True}
            self._change(row, fields, moment, "changed")

    def _subscribe(self) -> None:
        for account in self._customers(0.006):
            start = self._moment()
            subscription = account.subscription(start, start)
            made = account.period(subscription.source_id, subscription.seq, subscription.fields, start, True)
            subscription.fields["latest_invoice"] = made[0].source_id
            self._add([subscription, *made])

    def _settle_invoices(self) -> None:
        waiting = self._rows(
            "invoices", "json_extract(fields, '$.status') in ('draft', 'open') and changed_day < ?", self.day.number
        )
        for row in self._some(waiting, 0.1):
            fields, moment = json.loads(row["fields"]), self._moment()
            if fields["status"] == "draft":
                if self.rng.random() < 0.4:
                    end_record(self.world, row, "deleted", "", iso(moment), self.day.number)
                    self._count("invoices", "deleted")
                    continue
                due = _seconds(moment + timedelta(days=30))
                fields |= {"status": "open", "finalized_at": _seconds(moment), "due_date": due}
            elif self.rng.random() < 0.8:
                fields |= {"status": "paid", "paid_at": _seconds(moment), "attempts": fields["attempts"] + 1}
                customer = self.world.record("stripe", "customers", fields["customer"])
                paid = self._account(customer).charge(moment, fields["amount"], "Payment for Invoice", "succeeded")
                paid.fields["invoice"] = row["source_id"]
                self._add([paid])
            else:
                fields |= {"status": "void", "voided_at": _seconds(moment)}
            self._change(row, fields, moment, "changed")

    def _write_invoices(self) -> None:
        self._add([account.by_hand(self._moment()) for account in self._customers(0.003)])

    def _settle_refunds(self) -> None:
        for row in self._rows("refunds", "json_extract(fields, '$.status') = 'pending'"):
            self._change(row, json.loads(row["fields"]) | {"status": "succeeded"}, self._moment(), "changed")

    def _refund(self) -> None:
        recent = self._rows(
            "charges",
            "json_extract(fields, '$.status') = 'succeeded' and json_extract(fields, '$.amount_refunded') = 0"
            " and changed_day < ? and created_at >= ?",
            self.day.number,
            iso(self.day.before - timedelta(days=90)),
        )
        for row in self._some(recent, 0.01):
            fields, moment = json.loads(row["fields"]), self._moment()
            customer = self.world.record("stripe", "customers", fields["customer"])
            amount = fields["amount"] if self.rng.random() < 0.7 else fields["amount"] // 2
            status = "pending" if self.rng.random() < 0.4 else "succeeded"
            self._add([self._account(customer).refund(row["source_id"], fields, moment, amount, status)])
            self._change(row, fields | {"amount_refunded": amount}, moment, "changed")

    def _sell(self) -> None:
        for account in self._customers(0.01):
            amount = self.rng.randint(5, 300) * 100
            self._add([account.charge(self._moment(), amount, "Web shop order", "succeeded")])


# ---------- events
def note_event(world: World, before: sqlite3.Row | None, after: sqlite3.Row, day: int) -> None:
    """Write the events that Stripe sends for a change of one of its records; none when nothing can be seen of it."""
    if after["object"] == "events":
        return
    body, changed = body_of(after), {}
    if before is not None:
        old = body_of(before)
        if old == body:
            return
        changed = _previous_attributes(old, body)
    kinds = _kinds(before, after, changed)
    if "customer.deleted" in kinds:
        assert before is not None
        body, changed = body_of(before), {}
        _end_subscriptions(world, after, day)
    elif "invoice.deleted" in kinds:
        changed = {}
    moment = after["updated_at"] if before is not None else after["created_at"]
    made = []
    for kind in kinds:
        data = {"object": body}
        if changed and kind.rpartition(".")[2] in ("updated", "refunded"):
            data["previous_attributes"] = changed
        fields = {"type": kind, "about": after["object"], "about_id": after["source_id"], "data": data}
        source_id, seq = world.new_id("stripe", "events")
        made.append(NewRecord("stripe", "events", source_id, seq, "", fields, moment, moment, day))
    insert_records(world, made)


def _kinds(before: sqlite3.Row | None, after: sqlite3.Row, changed: dict) -> list[str]:
    """The types of event for one change, in the order in which Stripe sends them."""
    name = after["object"]
    status = json.loads(after["fields"]).get("status")
    is_new = before is None or (before["state"] != "live" and after["state"] == "live")
    is_gone = not is_new and after["state"] != "live"
    if name == "customers":
        return ["customer.created" if is_new else "customer.deleted" if is_gone else "customer.updated"]
    if name == "subscriptions":
        ended = is_gone or ("status" in changed and status == "canceled")
        what = "created" if is_new else "deleted" if ended else "updated"
        return [f"customer.subscription.{what}"]
    if name == "refunds":
        return ["refund.created" if is_new else "refund.failed" if status == "failed" else "refund.updated"]
    if name == "charges":
        return [f"charge.{status}" if is_new else
                "charge.refunded" if "amount_refunded" in changed else "charge.updated"]  # fmt: skip
    if is_gone:
        return ["invoice.deleted"]
    became = {"open": ["invoice.finalized"], "paid": ["invoice.paid", "invoice.payment_succeeded"],
              "void": ["invoice.voided"], "uncollectible": ["invoice.marked_uncollectible"]}  # fmt: skip
    told = became.get(status, []) if is_new or "status" in changed else []
    return ["invoice.created", *told] if is_new else ["invoice.updated", *told]


def _previous_attributes(old: dict, new: dict) -> dict:
    """What `old` had where `new` differs; of objects within only the fields that differ, as Stripe shows it."""
    changed: dict = {}
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        nested = isinstance(before, dict) and isinstance(after, dict)
        changed[name] = _previous_attributes(before, after) if nested else before
    return changed


def _end_subscriptions(world: World, customer: sqlite3.Row, day: int) -> None:
    """Stripe cancels the subscriptions of a customer that is deleted, at once."""
    rows = world.rows(
        "select * from records where system = 'stripe' and object = 'subscriptions' and state = 'live'"
        " and json_extract(fields, '$.customer') = ? and json_extract(fields, '$.status') <> 'canceled'",
        (customer["source_id"],),
    )
    for row in rows:
        moment = epoch(customer["ended_at"])
        ended = {"status": "canceled", "canceled_at": moment, "ended_at": moment, "cancel_at_period_end": False}
        change_record(world, row, json.loads(row["fields"]) | ended, customer["ended_at"], day)


AFTER_CHANGE["stripe"] = note_event
