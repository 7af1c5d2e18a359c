"""What strategies handle: assets, orders, positions, bars, fees."""

from tapeworks.compat.lumibot.entities.asset import Asset
from tapeworks.compat.lumibot.entities.bars import Bars
from tapeworks.compat.lumibot.entities.data import Data
from tapeworks.compat.lumibot.entities.order import Order
from tapeworks.compat.lumibot.entities.position import Position
from tapeworks.compat.lumibot.entities.trading_fee import TradingFee

__all__ = ["Asset", "Bars", "Data", "Order", "Position", "TradingFee"]
