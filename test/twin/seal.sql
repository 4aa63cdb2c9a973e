-- The twin's rows: a copy of the plain ones. Where there is an owner, each value is sealed for that owner, else under
-- the
-- database key.
INSERT INTO twin.t SELECT * FROM plain.t;
INSERT INTO twin.u SELECT * FROM plain.u;
INSERT INTO twin.p SELECT * FROM plain.p;
UPDATE twin.t SET note = encrypt_for_user(owner, note), name = encrypt_for_user(owner, name),
    raw = encrypt_for_user(owner, raw), doc = encrypt_for_user(owner, doc), n = encrypt_for_user(owner, n),
    amount = encrypt_for_user(owner, amount), price = encrypt_for_user(owner, price),
    ratio = encrypt_for_user(owner, ratio), flag = encrypt_for_user(owner, flag),
    born = encrypt_for_user(owner, born), seen = encrypt_for_user(owner, seen), uid = encrypt_for_user(owner, uid),
    host = encrypt_for_user(owner, host)
WHERE owner IS NOT NULL;
-- In the order of the plain rows, on which results without ORDER BY depend.
CLUSTER twin.t USING t_pkey;
