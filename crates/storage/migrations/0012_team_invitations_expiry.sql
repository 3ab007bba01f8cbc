-- The clean-up once a day looks for invitations by the end of their validity, in all projects together.
CREATE INDEX team_invitations_expires_at_idx ON team_invitations (expires_at);
