"""Put a revision of an experiment into force, and stop one for good.

Layer: flow. Takes: an `Experiment`, the site, the time. Gives: the `ExperimentRun`. One that nobody
could judge, or that would leave a campaign without its levels, is refused here, where somebody
reads the error.
"""

from offers.model.errors import InvalidExperiment, NotFound, WrongState
from offers.model.experiments.experiment import Experiment
from offers.model.experiments.experiment_run import ExperimentRun
from offers.model.experiments.metric import Metric, metric_of
from offers.model.ids import ExperimentId
from offers.model.loyalty.site_settings import DEFAULT_SITE_SETTINGS, SiteSettings
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs


def start_experiment(
    experiment: Experiment, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> ExperimentRun:
    """Write the revision and put it into force; the same one again changes nothing.

    Parameters
    ----------
    experiment
        The revision; the first of an id is number 1, each later one the next number.
    site
        Where it runs.
    work, now_ms
        The transaction and the time.

    It raises `WrongState` if it was stopped.

    Raises
    ------
    InvalidExperiment
        If the id is another site's, the number is not the next, the design changes under the same
        salt, a metric is not counted, or a campaign plays for a level that is gone.
    """
    check_metrics(experiment, settings_of(site, work=work))
    found = work.experiments.find(experiment.experiment)
    if found is not None:
        if found.site == site and found.experiment == experiment:
            return found
        _check_follows(experiment, found, site=site)
    elif experiment.revision != 1:
        raise InvalidExperiment(
            f"revision is {experiment.revision} of {experiment.experiment!r}, which is new; "
            "expected 1. Begin with the first."
        )
    _check_end(experiment, now_ms=now_ms)
    _check_campaigns(experiment, site=site, work=work)
    if not work.experiments.add_revision(experiment, site=site, at_ms=now_ms):
        raise InvalidExperiment(
            f"revision {experiment.revision} of {experiment.experiment!r} was written by somebody "
            "else meanwhile. Read the latest one again."
        )
    started = work.experiments.find(experiment.experiment)
    assert started is not None
    return started


def stop_experiment(
    experiment: ExperimentId, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> ExperimentRun:
    """End it now and for good: its campaigns make no more offers until they leave it.

    It raises `NotFound` if the site has no such experiment.
    """
    found = own_run(experiment, site=site, work=work)
    if found.stopped_at_ms is None:
        work.experiments.stop(experiment, at_ms=now_ms)
    return own_run(experiment, site=site, work=work)


def own_run(experiment: ExperimentId, *, site: SiteId, work: UnitOfWork) -> ExperimentRun:
    """Return an experiment of the site.

    Raises
    ------
    NotFound
        If there is none, or it is another site's: never told apart.
    """
    found = work.experiments.find(experiment)
    if found is None or found.site != site:
        raise NotFound("no such experiment; expected one of the key's own site.")
    return found


def settings_of(site: SiteId, *, work: UnitOfWork) -> SiteSettings:
    """Return what the retailer has set for the site."""
    programme = work.programmes.current(site)
    return DEFAULT_SITE_SETTINGS if programme is None else programme.settings


def check_metrics(experiment: Experiment, settings: SiteSettings) -> None:
    """Refuse an experiment that is judged by what nobody counts.

    Raises
    ------
    InvalidExperiment
        If a metric is unknown, or is a margin that the programme does not tell.
    """
    named = [("metric", experiment.metric)]
    named += [("guardrail.metric", guardrail.metric) for guardrail in experiment.guardrails]
    for field, name in named:
        if metric_of(field, name) is Metric.MARGIN and settings.margin_per_mille is None:
            raise InvalidExperiment(
                f"{field} is {name!r}, but the programme does not tell what is kept of a price; "
                f"expected settings.margin_per_mille there. Set it, or take {Metric.REVENUE!s}."
            )


def _check_follows(experiment: Experiment, found: ExperimentRun, *, site: SiteId) -> None:
    if found.site != site:
        raise InvalidExperiment(
            f"experiment {experiment.experiment!r} is of another site; expected an id of its own. "
            "Choose another id."
        )
    if found.stopped_at_ms is not None:
        raise WrongState(
            f"experiment {experiment.experiment!r} was stopped; expected one that runs. Begin a "
            "new one under another id: taken up again it would mix shoppers of two times."
        )
    experiment.check_follows(found.experiment)


def _check_end(experiment: Experiment, *, now_ms: UnixMs) -> None:
    if experiment.until_ms <= now_ms:
        raise InvalidExperiment(
            "until is in the past; expected a later end. Nobody would ever be assigned."
        )


def _check_campaigns(experiment: Experiment, *, site: SiteId, work: UnitOfWork) -> None:
    for campaign in work.campaigns.of_site(site):
        part = campaign.revision.part
        if part is None or part.experiment != experiment.experiment:
            continue
        misfit = part.misfit(experiment)
        if misfit is not None:
            raise InvalidExperiment(
                f"campaign {campaign.campaign!r} plays in it: {misfit} Change the campaign first, "
                "or keep its levels."
            )
