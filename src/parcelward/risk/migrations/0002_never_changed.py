"""The database itself refuses to change what was observed and learnt: each process has its copy, and would not know."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION risk_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was observed is never changed: learn something newer of it' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER observation_never_changed BEFORE UPDATE OR TRUNCATE ON risk_observation
    FOR EACH STATEMENT EXECUTE FUNCTION risk_never_changed();
CREATE TRIGGER outcome_never_changed BEFORE UPDATE OR TRUNCATE ON risk_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION risk_never_changed();
"""
BACKWARD = """
DROP TRIGGER outcome_never_changed ON risk_outcome;
DROP TRIGGER observation_never_changed ON risk_observation;
DROP FUNCTION risk_never_changed();
"""


class Migration(migrations.Migration):

    dependencies = [("risk", "0001_observations")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
