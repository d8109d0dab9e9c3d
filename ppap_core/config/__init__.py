"""config.yaml: declared once, read with places for mistakes, watched for changes."""

from ..errors import ConfigError, ConfigProblem
from . import normalise
from .clients import KeyControl
from .declaration import TopLevel, check_section, keys_of, section_keys
from .environment import load_environment
from .load import Config, load, parse
from .models import KnownModel, ModelAlias, ThinkingRange
from .reload import Reloader
from .sample import NewConfig, create_config
from .schema import CoreConfig
from .setting import InvalidSetting, LeftOut, setting
from .watch import FolderWatch

__all__ = [
    "Config",
    "ConfigError",
    "ConfigProblem",
    "CoreConfig",
    "FolderWatch",
    "InvalidSetting",
    "KeyControl",
    "KnownModel",
    "LeftOut",
    "ModelAlias",
    "NewConfig",
    "Reloader",
    "ThinkingRange",
    "TopLevel",
    "check_section",
    "create_config",
    "keys_of",
    "load",
    "load_environment",
    "normalise",
    "parse",
    "section_keys",
    "setting",
]
