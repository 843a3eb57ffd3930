"""The database itself refuses a posting that does not add up, a line in another currency than its account's, and changes."""

from django.db import migrations

FORWARD = """
ALTER TABLE payments_account ADD CONSTRAINT account_with_currency UNIQUE (number, currency);
ALTER TABLE payments_line ADD CONSTRAINT line_in_accounts_currency
    FOREIGN KEY (account_id, currency) REFERENCES payments_account (number, currency);

CREATE FUNCTION payments_lines_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_lines GROUP BY posting_id, currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'the lines of a posting add up to nothing in each currency' USING ERRCODE = 'check_violation';
    END IF;
    -- All lines of a posting come in one statement: a second one would add to what was posted before.
    IF EXISTS (
        SELECT FROM new_lines n JOIN payments_line l USING (posting_id)
        WHERE l.id NOT IN (SELECT id FROM new_lines)
    ) THEN
        RAISE EXCEPTION 'a posting has its lines already' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lines_add_up AFTER INSERT ON payments_line REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION payments_lines_add_up();

CREATE FUNCTION payments_posting_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state <> 'voided') <> EXISTS (SELECT FROM payments_line WHERE posting_id = NEW.id) THEN
        RAISE EXCEPTION 'a posting has lines unless it voids another' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_has_lines AFTER INSERT ON payments_posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payments_posting_has_lines();

CREATE FUNCTION payments_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was posted is never changed: post the opposite' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER posting_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_posting
    FOR EACH STATEMENT EXECUTE FUNCTION payments_never_changed();
CREATE TRIGGER line_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_line
    FOR EACH STATEMENT EXECUTE FUNCTION payments_never_changed();
CREATE TRIGGER account_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_account
    FOR EACH STATEMENT EXECUTE FUNCTION payments_never_changed();
"""
BACKWARD = """
DROP TRIGGER account_never_changed ON payments_account;
DROP TRIGGER line_never_changed ON payments_line;
DROP TRIGGER posting_never_changed ON payments_posting;
DROP FUNCTION payments_never_changed();
DROP TRIGGER posting_has_lines ON payments_posting;
DROP FUNCTION payments_posting_has_lines();
DROP TRIGGER lines_add_up ON payments_line;
DROP FUNCTION payments_lines_add_up();
ALTER TABLE payments_line DROP CONSTRAINT line_in_accounts_currency;
ALTER TABLE payments_account DROP CONSTRAINT account_with_currency;
"""


class Migration(migrations.Migration):

    dependencies = [("payments", "0001_ledger")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
