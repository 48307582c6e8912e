"""The handover port: whoever owns the service's values is told which version is the stable one."""

from glidepath.handover.command import Command
from glidepath.handover.port import PROMOTE, ROLLBACK, Handover, Word
from glidepath.handover.sync import Sync
from glidepath.handover.webhook import Webhook

__all__ = ["PROMOTE", "ROLLBACK", "Command", "Handover", "Sync", "Webhook", "Word"]
