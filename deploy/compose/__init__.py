"""What only `docker-compose.yml` needs: its one-shot jobs, health checks, and a `.env` with fresh secrets."""
