"""A client sends a payment twice, with one key, because it heard nothing. It must be charged once."""

from transfer.ledger import ACCOUNT, NotEnoughMoney, Paid, Pay, Stores, charge

_A_DAY = 24 * 60 * 60


async def check_then_insert(stores: Stores, key: str, reference: str, amount: int) -> Paid:
    """Both tries look before either writes."""
    if await stores.db.fetchval("SELECT 1 FROM payments WHERE key = $1", key):
        return Paid.BEFORE
    await charge(stores.db, key, reference, amount)
    return Paid.NOW


async def dual_write(stores: Stores, key: str, reference: str, amount: int) -> Paid:
    """The key is taken in one store, the money in another: the second try believes the first too soon."""
    if not await stores.cache.set(f"payment:{key}", "taken", nx=True, ex=_A_DAY):
        return Paid.BEFORE
    try:
        await charge(stores.db, key, reference, amount)
    except NotEnoughMoney:
        await stores.cache.delete(f"payment:{key}")
        raise
    return Paid.NOW


async def one_transaction(stores: Stores, key: str, reference: str, amount: int) -> Paid:
    """The key is unique and written with the money: whoever comes second finds both, or neither."""
    async with stores.db.acquire() as connection, connection.transaction():
        claimed = await connection.fetchval(
            "INSERT INTO keys (account, key) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key",
            ACCOUNT,
            key,
        )
        if claimed is None:
            return Paid.BEFORE
        # Without the money the key goes as well: the transaction is rolled back.
        await charge(connection, key, reference, amount)
    return Paid.NOW


VARIANTS: dict[str, Pay] = {
    "check-then-insert": check_then_insert,
    "dual-write": dual_write,
    # What is wrong with this one is in gateway.py: the service itself is as sound as it can be.
    "retry-without-key": one_transaction,
    "one-transaction": one_transaction,
}
