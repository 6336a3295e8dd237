// Looks at a page, and clicks Allow when asked to and everything is as wanted.
// It reads no field's value. The real page's elements are known from its
// source only in part: what is looked for is what its form must have.
(async (want, click) => {
	const approve = document.querySelector("form [type=submit][name=approve]");
	const form = approve && approve.form;
	const isForm = () => Boolean(form && form.method === "post" && form.querySelector("input[type=hidden][name=oauth_token]"));
	const words = (text) => text.replace(/\s+/g, " ");
	const navigation = performance.getEntriesByType("navigation")[0];
	const named = document.querySelector("[data-username]");
	const page = {
		url: location.href,
		title: document.title,
		status: (navigation && navigation.responseStatus) || 0,
		ready: document.readyState === "complete",
		password: Boolean(document.querySelector("input[type=password]")),
		allow: isForm(),
		sends: isForm() ? new URL(form.getAttribute("action") || "", location.href).origin : "",
		named: want.consumer !== "" && words(document.body ? document.body.innerText : "").includes(words(want.consumer)),
		user: (named && named.dataset.username) || "",
		whoami: "",
	};
	if (page.allow && location.origin === want.origin) {
		try {
			const answer = await fetch(want.base + "/plugins/servlet/applinks/whoami", { credentials: "same-origin", redirect: "error", cache: "no-store" });
			const text = answer.ok ? (await answer.text()).trim() : "";
			if (text.length < 256 && !/[<>\n]/.test(text)) page.whoami = text;
		} catch { /* an older or a closed server: the page itself must tell */ }
	}
	if (!click) return page;
	const is = (name) => name.toLowerCase() === want.user.toLowerCase();
	const right = isForm() && location.origin === want.origin && page.sends === want.origin && page.named
		&& is(page.whoami || page.user) && (!page.user || is(page.user));
	if (right) approve.click();
	return { ...page, allow: right };
})
