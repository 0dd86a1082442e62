// date-fns: arithmetic, ranges, words and other languages. The machine's time zone is UTC, so that every node says the same.
import {
  addBusinessDays, addMonths, differenceInCalendarDays, eachDayOfInterval, endOfMonth, format, formatDistance, formatISO, getISOWeek,
  intervalToDuration, isValid, isWeekend, lastDayOfMonth, parse, parseISO, startOfWeek,
} from "date-fns";
import { de } from "date-fns/locale/de";
import { ja } from "date-fns/locale/ja";

export default {
  fetch(request: Request): Response {
    const day = parseISO(new URL(request.url).searchParams.get("day") ?? "2024-02-29T13:45:06.789Z");
    if (!isValid(day)) return new Response("no day\n", { status: 400 });
    return Response.json({
      iso: formatISO(day),
      long: format(day, "EEEE, do MMMM yyyy 'at' HH:mm:ss.SSS xxx"),
      german: format(day, "EEEE, d. MMMM yyyy", { locale: de }),
      japanese: format(day, "PPPP", { locale: ja }),
      nextMonth: formatISO(addMonths(day, 12), { representation: "date" }),
      monthEnd: formatISO(endOfMonth(day)),
      lastDay: lastDayOfMonth(day).getDate(),
      week: getISOWeek(day),
      monday: formatISO(startOfWeek(day, { weekStartsOn: 1 }), { representation: "date" }),
      business: formatISO(addBusinessDays(day, 3), { representation: "date" }),
      weekends: eachDayOfInterval({ start: day, end: addMonths(day, 1) }).filter(isWeekend).length,
      days: differenceInCalendarDays(parseISO("2025-01-01"), day),
      words: formatDistance(day, parseISO("2024-03-02"), { addSuffix: true }),
      woerter: formatDistance(day, parseISO("2020-03-02"), { locale: de }),
      duration: intervalToDuration({ start: day, end: parseISO("2026-05-01T00:00:00Z") }),
      parsed: parse("03/Feb/2019 7pm", "dd/MMM/yyyy haaa", new Date(0)).toISOString(),
      zone: new Date(2024, 6, 1).getTimezoneOffset(),
    });
  },
};
