-- Counting what sign-up rules did reads their events only, and no other event pays for it.
CREATE INDEX audit_events_sign_up_rules_idx ON audit_events (project_id, occurred_at) WHERE kind = 'sign_up_rules.applied';
