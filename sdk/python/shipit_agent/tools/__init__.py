"""Tools of an agent."""
from .base import ToolContext, ToolOutput
from .code_execution import CodeExecutionTool

__all__ = ["CodeExecutionTool", "ToolContext", "ToolOutput"]
