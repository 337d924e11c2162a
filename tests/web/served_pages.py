"""A shop with a past day and live shoppers, served as a retailer has it, for tests in a browser.

Nothing is replaced: `inaisle serve` as a process, a real broker, gateways that are simulated but
speak over MQTT. Yesterday is played into its history before; at the dowels an offer comes after
6 s.
"""

import datetime as dt
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from firmware_sim.trip import ScriptedShopper
from inaisle.clock import SystemClock
from inaisle.config_files import (
    demo_campaigns_file,
    demo_catalogue_file,
    demo_programme_file,
    demo_site_map_file,
    shipped_settings_files,
)
from inaisle.demo.demo_crowd import Crowd
from inaisle.demo.demo_settings import day_in_shop
from inaisle.service.broker import BrokerAddress
from inaisle.settings import Settings, load_settings
from inaisle.simulation.app_client import ApiAddress, ApiClient, Json
from inaisle.simulation.simulate import ShopPlan, SimulatedShop
from inaisle.simulation.simulate_day import DayOptions, play_day
from inaisle.site.site_loading import load_site_map
from offers.handlers.people.issue_credential import issue_credential
from offers.model.ids import TillId
from offers.model.people.shopper import Role
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import Second, TagId, UnixMs, ZoneId
from tests.end_to_end.served_shop import DWELL_S, HOST, PURPOSES, ZONE, Service

SHOPPERS_YESTERDAY = 50
SHOPPERS_PICTURED = 200
OFFER_AFTER_S = 30
K = 5  # so few shoppers come on that day
# Gateways of one seed say that they are the same boot, and what they say again counts once.
_SEEDS = itertools.count(1)
STAFF = (Role.OPERATOR, Role.STORE_ADMIN, Role.MERCHANDISER, Role.TILL)


@dataclass(frozen=True)
class ServedShop:
    """A running shop and the keys to it."""

    address: ApiAddress
    site_map: SiteMap
    settings: Settings
    yesterday: dt.date
    keys: Mapping[Role, str]
    broker: BrokerAddress
    service: Service

    @property
    def url(self) -> str:
        return self.address.url

    def client(self, role: Role) -> ApiClient:
        """A client with the key of one of the staff."""
        return ApiClient(self.address, token=self.keys[role])

    def enrol(self, *, tag: TagId | None = None) -> str:
        """Enrol a shopper who agrees to everything, and return the token of the app."""
        wishes = [{"purpose": p, "is_granted": True, "text_version": "2026-11"} for p in PURPOSES]
        with ApiClient(self.address) as app:
            enrolled: Json = app.post("/v1/enrolments", {"locale": "de", "consents": wishes})
            app.token = str(enrolled["token"])
            if tag is not None:
                app.post("/v1/me/pairings", {"tag": tag})
            return app.token


@contextmanager
def serve_shop(
    folder: Path, *, broker_port: int, port: int, is_pictured: bool = False
) -> Iterator[ServedShop]:
    """Play yesterday, then serve; for pictures it is a busy morning, which takes minutes."""
    config = _write_config(folder)
    flags = {("site", "data"): folder / "shop"}
    settings = load_settings(
        files=(*shipped_settings_files(), config), environment={}, flags=flags
    ).settings
    site_map = load_site_map(settings.site)
    today = day_in_shop(SystemClock().now_ms(), site_map.time_zone)
    day = today - dt.timedelta(days=1)
    options = DayOptions(
        day=day,
        shoppers=SHOPPERS_YESTERDAY,
        opens=dt.time(10, 50),
        closes=dt.time(11, 50),
        phone_share=0.1,
    )
    if is_pictured:
        options = DayOptions(
            day=day, shoppers=SHOPPERS_PICTURED, opens=dt.time(10), closes=dt.time(13)
        )
    play_day(settings, options, today=today)
    keys = dict(_make_keys(settings, site_map))
    data = settings.site.data
    with Service(config, data=data, port=port, broker_port=broker_port) as service:
        yield ServedShop(
            address=ApiAddress(host=HOST, port=port),
            site_map=site_map,
            settings=settings,
            yesterday=options.day,
            keys=keys,
            broker=BrokerAddress(host=HOST, port=broker_port),
            service=service,
        )


def _write_config(folder: Path) -> Path:
    site = json.loads(demo_site_map_file().read_bytes())
    for feature in site["features"]:
        if feature["id"] == ZONE:
            feature["properties"]["rules"] = {"dwell_thresholds_s": [DWELL_S, OFFER_AFTER_S, 300]}
    (folder / "site.geojson").write_text(json.dumps(site))
    campaigns = json.loads(demo_campaigns_file().read_bytes())
    for campaign in campaigns["campaigns"]:
        trigger = campaign["trigger"]
        if "dwell_s" in trigger:
            trigger["dwell_s"] = DWELL_S if trigger["zone"] == ZONE else OFFER_AFTER_S
    (folder / "campaigns.json").write_text(json.dumps(campaigns))
    config = folder / "shop.toml"
    config.write_text(
        f'[site]\nmap = "{folder}/site.geojson"\ncampaigns = "{folder}/campaigns.json"\n'
        f'programme = "{demo_programme_file()}"\n'
        f'catalogue = "{demo_catalogue_file()}"\n'
        f"[footfall]\nk = {K}\n"
        # What was told is settled, and in a file, after seconds and not after two minutes.
        "[reception]\nrevise_max_ms = 2000\n[history]\nfile_s = 5\n"
    )
    return config


def _make_keys(settings: Settings, site_map: SiteMap) -> Iterator[tuple[Role, str]]:
    secrets = SystemSecretSource(load_key(settings.site.data / "secret.key"))
    writer = Writer(settings.site.data / "offers.sqlite")
    try:
        for role in STAFF:
            issued = writer.run(
                lambda work, role=role: issue_credential(
                    role,
                    work=work,
                    now_ms=SystemClock().now_ms(),
                    secrets=secrets,
                    till=TillId("till-1") if role is Role.TILL else None,
                    site=site_map.site,
                )
            )
            yield role, issued.secret
    finally:
        writer.close()


class LiveCrowd:
    """Shoppers who walk about now, at the speed of life; their apps have agreed to everything."""

    def __init__(self, shop: ServedShop, *, shoppers: int, site_map: SiteMap | None = None) -> None:
        self._shop = shop
        self._simulated = SimulatedShop(
            ShopPlan(
                site_map=site_map or shop.site_map,
                broker=shop.broker,
                seed=next(_SEEDS),
                shoppers=shoppers,
                channel="exact",
            ),
            starts_at_ms=UnixMs(time.time_ns() // 1_000_000),
            speed=1.0,
        )
        self._apps = Crowd(shop.address)
        self._own_app: set[TagId] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._apps.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._apps.stop()
        self._simulated.__exit__()

    def let_stand(
        self, tag: TagId, seconds: float, zone: ZoneId = ZONE, *, has_own_app: bool = True
    ) -> None:
        """Let somebody come in, go to a shelf and stand there; his app is the test's to pair."""
        if has_own_app:
            self._own_app.add(tag)
        stands = ((zone, Second(seconds)),)
        shopper = ScriptedShopper(tag=tag, radio=Radio.UWB, stands=stands, pace_m_s=3.0)
        self._simulated.scenario.add(shopper)

    def _run(self) -> None:
        def pair() -> None:
            self._apps.see(set(self._simulated.scenario.tags()) - self._own_app)

        self._simulated.run(each_second=pair, is_stopped=self._stop.is_set)
